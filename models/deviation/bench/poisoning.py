"""What another infant's cries, and growth, do to a baseline: synthetic cries, the real embedder.

A fifth of what the monitor hears is the neighbour. And a healthy infant changes, slowly: that is to
be followed, and still to be seen from where it began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.deviation.baseline import READY_AFTER, REFERENCE_CRIES, Baseline, Deviation, Observation
from models.deviation.check import ALARM_BELOW_P
from models.deviation.ward import WardModel
from models.identity.runtime import SAMPLE_RATE_HZ, CryEmbedder
from models.synthesis.cry import synthesize_cry
from models.synthesis.infant import Infant, Trait, drifted, random_infant

CRY_SECONDS = 3.0
# So many for each of the infant's own: a fifth of all.
INTRUDERS_A_CRY = 0.25
# From which cry on the neighbour is heard: from the first, once ready, with the reference taken.
BEGINS = (0, READY_AFTER, REFERENCE_CRIES)
# Infants cry in fits: as many of the neighbour's, so many at a time.
A_FIT = 6
NEIGHBOUR = "neighbour"
# A growing infant's vocal tract lengthens and its pitch falls: so far, in within-infant standard
# deviations, which as a step would be reported at once.
GROWTH, GROWING = -4.0, (Trait.PITCH, Trait.FORMANTS)


@dataclass(frozen=True)
class Plan:
    """How many infants there are, and cries of each.

    heard: in a mixed series; probes: own ones and the neighbour's, afterwards; growing: while the
    infant grows; grown: when it has.
    """

    infants: int = 12
    heard: int = 60
    probes: int = 40
    growing: int = 240
    grown: int = 40
    seed: int = 21


@dataclass(frozen=True)
class Cries:
    """Embeddings float32 [infants, cries, size]: usual ones, and all through a growth."""

    usual: NDArray[np.float32]
    growth: NDArray[np.float32]


def read_cries(folder: Path, plan: Plan, tick: Callable[[], object]) -> Cries:
    """The cries kept in `folder`, an infant a file, made where there are none; `tick` an infant."""
    embedder, kept = CryEmbedder(), []
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(plan.infants):
        cries = f"{plan.heard + plan.probes}-{plan.growing}-{plan.grown}"
        path = folder / f"{embedder.version}-{plan.seed}-{number}-{cries}.npz"
        if not path.exists():
            made = _made(np.random.default_rng([plan.seed, number]), plan, embedder)
            partial = path.with_suffix(".partial.npz")
            np.savez(partial, usual=made.usual, growth=made.growth)
            partial.replace(path)
        with np.load(path, allow_pickle=False) as data:
            kept.append(Cries(data["usual"], data["growth"]))
        tick()
    return Cries(np.array([one.usual for one in kept]), np.array([one.growth for one in kept]))


def _made(rng: np.random.Generator, plan: Plan, embedder: CryEmbedder) -> Cries:
    infant = random_infant(rng)
    ages = np.minimum(1.0, np.arange(1, plan.growing + plan.grown + 1) / plan.growing)

    def embedded(infants: Iterable[Infant]) -> NDArray[np.float32]:
        cries = (synthesize_cry(one, CRY_SECONDS, rng) for one in infants)
        return np.array([embedder.embed(cry, SAMPLE_RATE_HZ) for cry in cries])

    usual = embedded([infant] * (plan.heard + plan.probes))
    return Cries(usual, embedded(drifted(infant, float(age) * GROWTH, GROWING) for age in ages))


def poisoned(
    cries: Cries, plan: Plan, ward: WardModel, begins: int, at_once: int = 1
) -> dict[str, list[float]]:
    """By infant: alarm rates of a baseline that heard the neighbour, and of one that did not.

    at_once: how many of the neighbour's cries come one after another.
    `clean`, `mixed`: on the infant's own later cries; `neighbour_clean`, `neighbour_mixed`: on the
    neighbour's; `learnt`: the share of the neighbour's cries that was learnt from.
    """
    found: dict[str, list[float]] = {}
    for number, own in enumerate(cries.usual):
        rng = np.random.default_rng([plan.seed, number, begins])
        neighbour = cries.usual[(number + 1) % len(cries.usual)]
        clean, mixed = Baseline("infant", ward), Baseline("infant", ward)
        strange, learnt = 0, 0
        for heard, cry in enumerate(own[: plan.heard]):
            fit = at_once if heard >= begins and rng.random() < INTRUDERS_A_CRY / at_once else 0
            for nth in range(fit):
                other = neighbour[rng.integers(plan.heard)]
                said = mixed.observe(_clean_sound(other, f"{NEIGHBOUR}-{heard}-{nth}"))
                strange += 1
                learnt += sum(name.startswith(NEIGHBOUR) for name, _ in said.learnt)
            clean.observe(_clean_sound(cry, f"cry-{heard}"))
            said = mixed.observe(_clean_sound(cry, f"cry-{heard}"))
            learnt += sum(name.startswith(NEIGHBOUR) for name, _ in said.learnt)
        for whose, probes in (("", own[plan.heard :]), ("neighbour_", neighbour[plan.heard :])):
            for name, baseline in (("clean", clean), ("mixed", mixed)):
                rate = _alarms(_probed(baseline, probes))
                found.setdefault(f"{whose}{name}", []).append(rate)
        found.setdefault("learnt", []).append(learnt / max(strange, 1))
    return found


def grown(cries: Cries, plan: Plan, ward: WardModel) -> dict[str, list[float]]:
    """By infant, what a baseline says of growth, and one that stopped learning before it.

    `accepted`: share of the cries learnt from while it grew; `alarms`, `sigma`: of the grown
    infant's cries; `alarms_frozen`: of the same where learning was paused at the admission
    reference; `drift_sigma`, `drifting`: against the admission, at the end; `seen_after`: cries
    until drift was said first, -1 if never.
    """
    found: dict[str, list[float]] = {}
    for usual, growth in zip(cries.usual, cries.growth, strict=True):
        baseline = Baseline("infant", ward)
        for heard, cry in enumerate(usual[: plan.heard]):
            baseline.observe(_clean_sound(cry, f"cry-{heard}"))
        frozen = Baseline.from_bytes(baseline.to_bytes(), ward)
        names = [f"growing-{number}" for number in range(len(growth))]
        said = [
            baseline.observe(_clean_sound(cry, name))
            for cry, name in zip(growth, names, strict=True)
        ]
        learnt = {name for one in said for name, _ in one.learnt}
        late = said[plan.growing :]
        seen = [number for number, one in enumerate(said) if one.drifting]
        figures = {
            "accepted": np.mean([name in learnt for name in names]),
            "alarms": _alarms(late),
            "sigma": np.mean([one.sigma for one in late]),
            "alarms_frozen": _alarms(_probed(frozen, growth[plan.growing :])),
            "drift_sigma": late[-1].drift_sigma or 0.0,
            "drifting": late[-1].drifting,
            "seen_after": seen[0] if seen else -1,
        }
        for name, figure in figures.items():
            found.setdefault(name, []).append(float(figure))
    return found


def _clean_sound(embedding: NDArray[np.float32], name: str) -> Observation:
    return Observation(name, 0, CRY_SECONDS, embedding, 1.0, -20.0, 0.0)


def _probed(baseline: Baseline, cries: NDArray[np.float32]) -> list[Deviation]:
    """What is said of cries [n, size] that teach nothing."""
    heard = (_clean_sound(cry, f"probe-{i}") for i, cry in enumerate(cries))
    return [baseline.observe(replace(cry, learning_paused=True)) for cry in heard]


def _alarms(said: list[Deviation]) -> float:
    return float(np.mean([one.p_value is not None and one.p_value < ALARM_BELOW_P for one in said]))
