"""Columns of the tables that ``compare-strategies`` writes; A and B are the two strategies in the order given."""

from __future__ import annotations

from typing import Final

from cytometry.model.tables import Column, ColumnType, TableSchema

LOG_ODDS: Final = "log_odds"
PERCENT: Final = "percent"
SAME: Final = "same conclusion"
OTHER_SIGN: Final = "differs in sign"
OTHER_SIGNIFICANCE: Final = "differs in significance"
NOT_COMPARABLE: Final = "not comparable"

_POPULATION = Column("population", "string", "population; A's name where the two names differ", required=True)


def _estimate(name: str, meaning: str, interval: str) -> tuple[Column, ...]:
    return (
        Column(name, "number", meaning),
        Column(f"{name}_low", "number", f"lower end of its 95 % interval, {interval}"),
        Column(f"{name}_high", "number", f"upper end of its 95 % interval, {interval}"),
    )


def _both(name: str, kind: ColumnType, meaning: str) -> tuple[Column, ...]:
    return tuple(Column(f"{name}_{side.lower()}", kind, f"{meaning}, with {side}") for side in ("A", "B"))


MATCHED_POPULATIONS = TableSchema(
    "populations",
    "one population of either strategy",
    ("population", "defined_in"),
    (
        _POPULATION,
        Column("defined_in", "string", "which strategies have it", required=True, allowed=("both", "A", "B")),
        Column("path_a", "string", "its path in A"),
        Column("path_b", "string", "its path in B"),
        Column("same_parent", "boolean", "whether the parent is the same population; empty unless in both"),
        Column("denominator", "string", "nearest ancestor that both have: what agreement takes shares of"),
        Column("n_tubes", "integer", "study tubes in which both define it", "tubes"),
        Column("n_scored", "integer", "those with a detectable number of events in either: scored below", "tubes"),
        Column("f1_median", "number", "median over tubes of the F1 score of B's events against A's", "1"),
        Column("f1_worst", "number", "lowest F1 score of a tube", "1"),
        Column("f1_worst_sample", "string", "the tube with it"),
        Column("jaccard_median", "number", "median over tubes of events in both over events in either", "1"),
        Column("jaccard_worst", "number", "lowest Jaccard index of a tube", "1"),
        Column("jaccard_worst_sample", "string", "the tube with it"),
    ),
)

OVERLAP = TableSchema(
    "overlap",
    "one gated tube and population that both strategies define",
    ("sample_id", "population"),
    (
        Column("sample_id", "string", "tube", required=True),
        Column("subject_id", "string", "participant"),
        Column("visit", "string", "visit as study.yaml names it"),
        Column("role", "string", "sample or control; agreement is over the samples"),
        _POPULATION,
        *_both("count", "integer", "events"),
        Column("count_both", "integer", "events that lie in both", "events"),
        Column("denominator", "string", "nearest ancestor that both have"),
        *_both("denominator_count", "integer", "events of the denominator"),
        Column("f1", "number", "2 × count_both / (count_a + count_b); empty where both are empty", "1"),
        Column("jaccard", "number", "events in both over events in either; empty where both are empty", "1"),
    ),
)

AGREEMENT = TableSchema(
    "agreement",
    "one population and scale, over the study tubes; differences are B minus A",
    ("population", "scale"),
    (
        _POPULATION,
        Column(
            "scale",
            "string",
            "log odds or per cent of the denominator",
            required=True,
            allowed=(LOG_ODDS, PERCENT),
        ),
        Column("denominator", "string", "what both take the share of"),
        Column("n_tubes", "integer", "tubes with enough events in the denominator of both", "tubes"),
        Column("n_subjects", "integer", "participants they come from", "participants"),
        *_estimate(
            "icc",
            "intraclass correlation, absolute agreement, two-way random, single: ICC(2,1)",
            "McGraw and Wong 1996, each tube its own target",
        ),
        *_estimate("concordance", "Lin's concordance correlation", "Fisher's z, each tube its own target"),
        *_estimate("bias", "mean over participants of their mean difference", "t over participants"),
        Column("difference_sd", "number", "standard deviation of a tube's difference, between and within participants"),
        *_estimate("lower_limit", "lower 95 % limit of agreement", "Zou 2013"),
        *_estimate("upper_limit", "upper 95 % limit of agreement", "Zou 2013"),
        *_estimate("slope", "slope of the difference on the mean: proportional bias", "robust, over participants"),
    ),
)

CONCLUSIONS = TableSchema(
    "conclusions",
    "one tested readout, with either strategy under the same plan",
    ("question", "population", "visit", "scale"),
    (
        Column("question", "string", "change from baseline, or correlation with the outcome's change", required=True),
        _POPULATION,
        Column("visit", "string", "visit as study.yaml names it", required=True),
        Column("scale", "string", "scale of the plan", required=True),
        Column("role", "string", "confirmatory, panel or exploratory"),
        *_both("n", "integer", "participants"),
        *_both("estimate", "number", "estimated change on the scale, or rank correlation"),
        *_both("ci_low", "number", "lower end of its interval"),
        *_both("ci_high", "number", "upper end of its interval"),
        *_both("p", "number", "p-value"),
        *_both("p_adjusted", "number", "p-value adjusted over the panel"),
        *_both("direction", "string", "up, down or none"),
        *_both("significant", "boolean", "significant as the plan judges this role; exploratory by its plain p-value"),
        Column(
            "conclusion",
            "string",
            "whether a reader would conclude the same; signs count only where one of the two is significant",
            allowed=(SAME, OTHER_SIGN, OTHER_SIGNIFICANCE, NOT_COMPARABLE),
        ),
    ),
)

AGREEMENT_TABLES: Final = (MATCHED_POPULATIONS, AGREEMENT, CONCLUSIONS, OVERLAP)
