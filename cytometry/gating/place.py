"""Place every gate of a panel on the tubes of one group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from cytometry.errors import CytometryError, GatingError, RequestError
from cytometry.gating.assemble import boolean_gate, box, build_strategy, everything
from cytometry.gating.bench import Bench, open_bench, transforms_for
from cytometry.gating.bridge import Offsets, bridging_offsets, carried, contradicted
from cytometry.gating.cut_chain import SURE, Decision, borrow, decide
from cytometry.gating.doubt import count_cv, event_doubts, outside_doubts
from cytometry.gating.methods.evidence import CutEvidence, CutPosition, Pool
from cytometry.gating.scopes import ScopeGroup, scope_groups
from cytometry.gating.shape_step import place_shape
from cytometry.gating.tubes import CONTROL, FMO, SAMPLE, Tube
from cytometry.model.findings import Finding
from cytometry.model.gates import Gate
from cytometry.model.panel import Panel
from cytometry.model.placement import GateOverride, PlacedCut, Placement
from cytometry.model.strategy import GatingStrategy
from cytometry.model.template import CutTemplate, GatingTemplate, PopulationTemplate

__all__ = ["Tube", "place"]


def place(
    panel: Panel,
    tubes: Sequence[Tube],
    *,
    overrides: Sequence[GateOverride] = (),
    batch_sizes: Mapping[str, int] | None = None,
    alone: bool = False,
) -> Placement:
    """Turn a panel and the tubes of one group into plain gates per tube.

    Deterministic, and independent of the order of ``tubes``. Keys of subjects
    and batches are opaque: nothing about visit, arm or clinic enters.

    Parameters
    ----------
    tubes
        Samples, bridging controls and FMO controls that may have to be placed together.
    overrides
        A person's corrections; an override whose tube is not among ``tubes`` is ignored.
    batch_sizes
        Samples of the panel in each batch, where ``tubes`` are not all of them. In them all a bridging control's
        error is the same, so that it counts so many times.
    alone
        Every scope is ``sample`` and nothing is taken from another tube.

    Returns
    -------
    Placement
        A tube that cannot be gated is in ``failed`` with the reason; the others are complete.

    Raises
    ------
    RequestError
        Two tubes have one key, or an override names a cut that the panel does not have.
    """
    _check(panel, tubes, overrides)
    if isinstance(panel.strategy, GatingStrategy):
        drawn = panel.strategy
        return Placement(panel, {t.key: drawn for t in tubes if t.is_gated}, ())
    return _Placing(panel, panel.strategy, tubes, overrides, batch_sizes or {}, alone=alone).run()


def _check(panel: Panel, tubes: Sequence[Tube], overrides: Sequence[GateOverride]) -> None:
    keys = [t.key for t in tubes]
    twice = sorted({k for k in keys if keys.count(k) > 1})
    if twice:
        raise RequestError(f"tubes have one key: {', '.join(twice)}", hint="give each tube a key of its own")
    known = panel.strategy.cuts if isinstance(panel.strategy, GatingTemplate) else {}
    for override in overrides:
        if override.cut not in known:
            raise RequestError(
                f"override of '{override.cut}', which panel '{panel.name}' does not place",
                hint=f"cuts: {', '.join(known) or 'none, its gates are drawn'}",
            )


class _Placing:
    """One call of :func:`place`: benches by key, and what has been noticed."""

    def __init__(
        self,
        panel: Panel,
        template: GatingTemplate,
        tubes: Sequence[Tube],
        overrides: Sequence[GateOverride],
        batch_sizes: Mapping[str, int],
        *,
        alone: bool,
    ) -> None:
        self.panel, self.template, self.alone = panel, template, alone
        used = [t for t in tubes if t.is_gated or (t.role.startswith(FMO) and not alone)]
        self.order = [t.key for t in used]
        self.benches = {t.key: open_bench(t, panel) for t in sorted(used, key=lambda t: t.order)}
        self.batch_sizes = batch_sizes
        self.overrides = {(o.key, o.cut): o.value for o in overrides}
        self.placed: dict[tuple[str, str, str], tuple[PlacedCut, ...]] = {}
        self.findings: dict[tuple[str, str, str], Finding] = {}

    def run(self) -> Placement:
        for step in self.template.steps():
            if step.kind == "cut":
                self._cut(step.name, self.template.cuts[step.name])
            else:
                self._population(self.template[step.name])
        return self._result()

    # -- cuts ---------------------------------------------------------------------------------------------------

    def _cut(self, name: str, cut: CutTemplate) -> None:
        ready = [b for b in self._alive() if b.rows.get(cut.within) is not None and b.has(cut.on)]
        gated = [b.tube for b in ready if b.tube.is_gated]
        offsets = self._offsets(cut, ready)
        groups = scope_groups(gated, cut.scope, alone=self.alone, can_bridge=offsets is not None)
        decisions, failures = self._decide(cut, groups, offsets)
        if offsets is not None:
            decisions = self._carry(cut, groups, decisions, offsets)
        for group in groups:
            for tube in group.receiving:
                decision = decisions.get(tube.key) or decisions.get(group.name)
                if decision is None:
                    self._fail(tube.key, failures[group.name], f"cut '{name}'")
                else:
                    self._set_cut(name, cut, group, tube, decision)
        self._set_fmo_cuts(name)

    def _decide(
        self, cut: CutTemplate, groups: Sequence[ScopeGroup], offsets: Offsets | None
    ) -> tuple[dict[str, Decision], dict[str, GatingError]]:
        """Position by group, and why a group has none."""
        decisions: dict[str, Decision] = {}
        failures: dict[str, GatingError] = {}
        for group in groups:
            try:
                decisions[group.name] = decide(cut, self._evidence(cut, group, offsets))
            except GatingError as error:
                failures[group.name] = error
        if not self.alone:
            decisions = borrow(decisions, {g.name: [t.batch_group for t in g.contributing] for g in groups})
        return decisions, failures

    def _carry(
        self, cut: CutTemplate, groups: Sequence[ScopeGroup], decisions: Mapping[str, Decision], offsets: Offsets
    ) -> dict[str, Decision]:
        """Add a position by tube key for the tubes of groups that span batches, as far as offsets can be trusted."""
        spanning = [(g, t) for g in groups if g.bridged for t in g.receiving]
        found, _ = self._decide(
            cut, scope_groups([t for _, t in spanning], "sample", alone=False, can_bridge=False), None
        )
        own = {t.key: found.get(f"sample {t.key}") for _, t in spanning}
        offsets = contradicted(
            offsets,
            [
                (t.subject_group, t.batch_group, d.position.value, d.position.own_sd)
                for _, t in spanning
                if t.role == SAMPLE and (d := own[t.key]) is not None and d.position.confidence >= SURE
            ],
        )
        result = dict(decisions)
        for group, tube in spanning:
            shared = decisions.get(group.name)
            mine = own[tube.key]
            if shared is None and mine is not None:
                result[tube.key] = replace(mine, shared_weight=0.0)
            elif shared is not None:
                here = sum(t.batch_group == tube.batch_group for _, t in spanning)
                n_sharing = max(here, self.batch_sizes.get(tube.batch_group or "", 0))
                result[tube.key] = carried(mine, shared, offsets.of(tube.batch_group), offsets.variance, n_sharing)
        return result

    def _evidence(self, cut: CutTemplate, group: ScopeGroup, offsets: Offsets | None) -> CutEvidence:
        keys = [t.key for t in group.contributing]
        shifts = [offsets.of(t.batch_group) if offsets and group.bridged else 0.0 for t in group.contributing]

        def pool(population: str) -> Pool:
            values = [self.benches[k].values(cut.on, population) for k in keys]
            return Pool(tuple(_finite(v) - s if s else _finite(v) for v, s in zip(values, shifts, strict=True)))

        return CutEvidence(
            pool=pool(cut.within),
            references={r: pool(r) for r in cut.references[1:]},
            fmo=self._fmo_pool(cut, group),
            others=self._other_cuts(cut, keys, shifts),
        )

    def _other_cuts(self, cut: CutTemplate, keys: Sequence[str], shifts: Sequence[float]) -> Mapping[str, CutPosition]:
        """Cuts placed before: the middle of the group's tubes, as sure as the least sure."""
        found: dict[str, CutPosition] = {}
        for other in cut.other_cuts:
            here = [(self.benches[k].cuts.get(other), s) for k, s in zip(keys, shifts, strict=True)]
            placed = [(c, s) for c, s in here if c is not None]
            if placed:
                found[other] = CutPosition(
                    float(np.median([c.value - s for c, s in placed])),
                    float(np.median([c.sd for c, _ in placed])),
                    min(c.confidence for c, _ in placed),
                    placed[0][0].source,
                    float(np.median([c.systematic for c, _ in placed])),
                )
        return found

    def _fmo_pool(self, cut: CutTemplate, group: ScopeGroup) -> Pool | None:
        """The batch's FMO controls of the marker; none where the group's batch is unknown or not one."""
        batches = {t.batch_group for t in group.contributing}
        if self.alone or len(batches) != 1:
            return None
        found = [
            _finite(b.values(cut.on, cut.within))
            for b in self._alive()
            if b.omitted == cut.on and {b.tube.batch_group} == batches and b.rows.get(cut.within) is not None
        ]
        return Pool(tuple(found)) if found else None

    def _offsets(self, cut: CutTemplate, ready: Sequence[Bench]) -> Offsets | None:
        if self.alone or cut.scope not in ("subject", "study"):
            return None
        return bridging_offsets(
            cut,
            {t.batch_group for t in (b.tube for b in ready) if t.is_gated},
            [
                (
                    b.tube.batch_group,
                    CutEvidence(
                        Pool((_finite(b.values(cut.on, cut.within)),)),
                        {r: Pool((_finite(b.values(cut.on, r)),)) for r in cut.references[1:]},
                    ),
                )
                for b in ready
                if b.tube.role == CONTROL
            ],
        )

    def _set_cut(
        self,
        name: str,
        cut: CutTemplate,
        group: ScopeGroup,
        tube: Tube,
        decision: Decision,
    ) -> None:
        position, flags, method = decision.position, list(decision.flags), decision.method
        if group.bridged and decision.shared_weight < 0.5:
            # Mostly the tube's own: its error is, too.
            group = replace(group, name=f"sample {tube.key}", scope="sample")
        if group.spans_batches:
            flags.append("SCOPE_SPANS_BATCHES")
            self._find_spanning(name, cut.scope, group, tube)
        source = position.source
        if source == "data" and "GATE_FALLBACK" in flags and "GATE_UNCERTAIN" in flags:
            source = "fallback"
        if (tube.key, name) in self.overrides:
            position = CutPosition(self.overrides[tube.key, name], 0.0, 1.0, "override")
            flags, method, source = [], "override", "override"
        bench = self.benches[tube.key]
        bench.cuts[name] = position
        self.placed[tube.key, "cut", name] = (
            PlacedCut(
                sample_key=tube.key,
                name=name,
                kind="cut",
                dimension=cut.on,
                method=method,
                source=source,
                value=position.value,
                value_linear=self._linear(bench, cut.on, position.value),
                uncertainty_sd=position.sd,
                confidence=position.confidence,
                scope=group.scope,
                group=group.name,
                flags=tuple(flags),
                populations=tuple(p.name for p in self.template.populations if name in p.cuts),
                systematic_sd=position.systematic,
            ),
        )
        for code in _told(flags):
            if code in _EXPLAINED:
                self._note(tube.key, code, name, f"cut '{name}' on {cut.on}: {_EXPLAINED[code]} ({method})")

    def _set_fmo_cuts(self, name: str) -> None:
        """An FMO tube takes the middle of its batch's cuts for the gates above the omitted marker."""
        for bench in self._alive():
            if bench.tube.is_gated:
                continue
            values = [
                b.cuts[name].value
                for b in self._alive()
                if b.tube.is_gated and b.tube.batch_group == bench.tube.batch_group and name in b.cuts
            ]
            if values:
                bench.cuts[name] = CutPosition(float(np.median(values)), 0.0, 1.0, "control")

    # -- populations --------------------------------------------------------------------------------------------

    def _population(self, population: PopulationTemplate) -> None:
        applied: list[Bench] = []
        for bench in self._alive():
            if bench.rows.get(population.parent) is None:
                bench.rows[population.name] = None
                continue
            lacking = [m for m in population.markers if not bench.has(m)]
            if not lacking:
                applied.append(bench)
            elif population.if_missing == "keep_parent":
                self._keep_parent(bench, population, lacking)
            elif population.optional:
                bench.rows[population.name] = None
            else:
                self._fail(bench.tube.key, _lacking(bench, lacking), f"population '{population.name}'")
        if population.place is not None:
            self._shapes(population, applied)
        for bench in applied:
            if bench.failure is None:
                self._members(bench, population)

    def _members(self, bench: Bench, population: PopulationTemplate) -> None:
        if population.operands and any(bench.rows.get(o) is None for o, _ in population.operands):
            bench.rows[population.name] = None
            return
        omitted = frozenset({bench.omitted} if bench.omitted else ())
        if population.keep is not None and omitted.issuperset(population.keep):
            # An FMO tube cannot be gated on the dye that it lacks.
            bench.rows[population.name] = bench.rows[population.parent]
            return
        gate: Gate
        if population.keep is not None:
            cuts = {n: c.value for n, c in bench.cuts.items()}
            gate = box(self.panel, population, cuts, omitted)
        elif population.place is not None:
            gate = bench.gates[population.name]
        else:
            gate = boolean_gate(self.template, population)
        parent = bench.rows[population.parent]
        assert parent is not None  # _population leaves out the others
        kept = bench.kept(gate, population.parent)
        bench.rows[population.name] = parent[kept]
        if bench.tube.is_gated:
            bench.doubts[population.name] = event_doubts(bench, population, gate, kept)
            bench.outside[population.name] = outside_doubts(bench, population, gate, kept)

    def _keep_parent(self, bench: Bench, population: PopulationTemplate, lacking: Sequence[str]) -> None:
        bench.rows[population.name] = bench.rows[population.parent]
        bench.doubts[population.name] = bench.doubts.get(population.parent, {})
        bench.gates[population.name] = everything(bench.tube.sample.n_events)
        self._note(
            bench.tube.key,
            "GATE_NOT_APPLIED",
            population.name,
            f"population '{population.name}' keeps all of its parent: the file does not measure {', '.join(lacking)}",
        )

    def _shapes(self, population: PopulationTemplate, applied: Sequence[Bench]) -> None:
        ready = {b.tube.key: b for b in applied}
        tubes = [b.tube for b in applied if b.tube.is_gated]
        groups = [
            *scope_groups(tubes, population.scope, alone=self.alone, can_bridge=False),
            *(
                ScopeGroup(f"sample {b.tube.key}", "sample", (b.tube,), (b.tube,))
                for b in applied
                if not b.tube.is_gated
            ),
        ]
        for group in groups:
            try:
                decision = place_shape(population, [ready[t.key] for t in group.contributing], self.panel)
            except GatingError as error:
                for tube in group.receiving:
                    self._fail(tube.key, error, f"population '{population.name}'")
                continue
            for tube in group.receiving:
                bench = ready[tube.key]
                bench.gates[population.name] = decision.position.gate
                bench.at_stake[population.name] = decision.position.at_stake
                flags = (*decision.flags, *(("SCOPE_SPANS_BATCHES",) if group.spans_batches else ()))
                if group.spans_batches:
                    self._find_spanning(population.name, population.scope, group, tube)
                if tube.is_gated:
                    self._record_shape(bench, population, decision.position, decision.method, group, flags)

    def _record_shape(self, bench, population, position, method, group, flags) -> None:  # type: ignore[no-untyped-def]
        assert population.place is not None
        self.placed[bench.tube.key, "population", population.name] = tuple(
            PlacedCut(
                sample_key=bench.tube.key,
                name=population.name,
                kind="shape",
                dimension=marker,
                method=method,
                source=position.source,
                value=value,
                value_linear=self._linear(bench, marker, value),
                uncertainty_sd=sd,
                confidence=position.confidence,
                scope=group.scope,
                group=group.name,
                flags=flags,
                populations=(population.name,),
                size_sd=position.size_sd,
            )
            for marker, value, sd in zip(population.place.on, position.centre, position.sd, strict=True)
        )
        for code in _told(flags):
            if code in _EXPLAINED:
                self._note(
                    bench.tube.key, code, population.name, f"shape '{population.name}': {_EXPLAINED[code]} ({method})"
                )

    # -- bookkeeping --------------------------------------------------------------------------------------------

    def _alive(self) -> list[Bench]:
        return [b for b in self.benches.values() if b.failure is None]

    def _linear(self, bench: Bench, marker: str, value: float) -> float:
        key = self.panel.scale_key(marker)
        if key is None or key not in bench.reader.transforms or not np.isfinite(value):
            return value
        return float(bench.reader.transforms[key].inverse(np.array([value]))[0])

    def _fail(self, key: str, error: CytometryError, where: str) -> None:
        bench = self.benches[key]
        bench.failure = GatingError(
            error.message, where=f"{bench.tube.sample.name}, {where}", hint=error.hint, code=error.code
        )

    def _note(self, key: str, code: str, keyword: str, message: str) -> None:
        self.findings[key, code, keyword] = Finding(
            code=code, severity="warning", message=message, file=key, segment="gating", keyword=keyword
        )

    def _find_spanning(self, name: str, scope: str, group: ScopeGroup, tube: Tube) -> None:
        done = (
            "its own position and the shared one, carried over by the bridging controls, are weighted by their errors"
            if group.bridged
            else f"it is placed per {group.scope}"
        )
        self._note(
            tube.key,
            "SCOPE_SPANS_BATCHES",
            name,
            f"'{name}' has scope {scope}, whose tubes lie in several batches: {done}",
        )

    def _result(self) -> Placement:
        strategies: dict[str, GatingStrategy] = {}
        shapes: dict[str, Mapping[str, Gate]] = {}
        cuts: list[PlacedCut] = []
        steps = self.template.steps()
        names = [s.name for s in steps]
        for key in self.order:
            bench = self.benches[key]
            if bench.failure is not None or not bench.tube.is_gated:
                continue
            strategies[key] = build_strategy(
                self.panel,
                self.template,
                {n: c.value for n, c in bench.cuts.items()},
                bench.gates,
                transforms_for(bench.tube, self.panel),
            )
            shapes[key] = dict(bench.gates)
            for step in steps:
                cuts += self.placed.get((key, step.kind, step.name), ())
        place_of = {key: i for i, key in enumerate(self.order)}
        ordered = sorted(self.findings.items(), key=lambda item: (place_of[item[0][0]], names.index(item[0][2])))
        failed = {k: b.failure for k in self.order if (b := self.benches[k]).failure is not None and b.tube.is_gated}
        return Placement(
            self.panel,
            strategies,
            tuple(cuts),
            shapes,
            tuple(f for _, f in ordered),
            {k: e for k, e in failed.items() if e is not None},
            {k: self._gating_cv(self.benches[k]) for k in strategies},
        )

    def _gating_cv(self, bench: Bench) -> Mapping[str, float]:
        found = {}
        for p in self.template.populations:
            rows = bench.rows.get(p.name)
            if rows is not None and not p.helper:
                found[p.name] = count_cv(bench.doubts.get(p.name, {}), bench.outside.get(p.name, {}), rows.size)
        return found


_EXPLAINED: Mapping[str, str] = MappingProxyType(
    {
        "GATE_FALLBACK": "the first rule was not sure; another decided",
        "GATE_UNCERTAIN": "no rule was sure",
        "TIME_NOT_USED": "no channel of time, or it runs backwards, or there are too few events; every event is kept",
        "GATE_BORROWED": "drawn towards the other groups of the batch",
    }
)


def _told(flags: Sequence[str]) -> tuple[str, ...]:
    """Flags that get a finding of their own: where no rule was sure, that another decided says nothing more."""
    return tuple(f for f in flags if f != "GATE_FALLBACK" or "GATE_UNCERTAIN" not in flags)


def _finite(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Without what is not a number: no gate keeps such an event."""
    finite = np.isfinite(values)
    return values if finite.all() else values[finite]


def _lacking(bench: Bench, markers: Sequence[str]) -> GatingError:
    channels = ", ".join(f"{c.name} ({c.marker})" if c.marker else c.name for c in bench.tube.sample.channels)
    return GatingError(
        f"no channel measures the marker '{markers[0]}'; channels: {channels}",
        hint=f"add the file's name for it under markers.{markers[0]}.channels of the panel",
        code="MARKER_MISSING",
    )
