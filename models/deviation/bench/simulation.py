"""Made-up infants with as many cries as one likes: what real ones are too few to say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.deviation.bench.contestants import Contestant, Wards
from models.deviation.bench.harness import Known
from models.deviation.bench.nursery import Nursery
from models.deviation.bench.protocol import area
from models.deviation.check import ALARM_BELOW_P

SEED = 7
# The ward's corpus, about as large as the real one.
WARD_INFANTS = 150
INFANTS = 40
# After so many cries an infant is probed, with so many of its own and one each of as many others.
ENROLLED = (2, 3, 4, 6, 8, 12, 16, 24)
# And after so many the default: by then the ward's word has faded (conformal.py).
LONG_ENROLLED = (48, 96, 200)
PROBES = 60
# Ready is who tells infants apart so well; a first useful answer, not the best.
READY_AREA = 0.9


def made_up() -> tuple[Nursery, Known]:
    """A nursery, and the recordings that its ward is fitted to."""
    nursery = Nursery(SEED)
    x, infants = nursery.recordings(WARD_INFANTS, np.random.default_rng([SEED, 1]))
    return nursery, Known(x, np.array(infants), list(range(len(infants))))


def figures(
    contestant: Contestant,
    nursery: Nursery,
    wards: Wards,
    tick: Callable[[], None],
) -> dict[str, dict[str, float]]:
    """By how many cries were enrolled: AUC and false-positive rate, mean and worst infant's."""
    pooled = contestant.pooled(contestant.pool(), wards)
    enrolled = ENROLLED + LONG_ENROLLED * contestant.is_default
    areas: dict[int, list[float]] = {count: [] for count in enrolled}
    rates: dict[int, list[float]] = {count: [] for count in enrolled}
    for number in range(INFANTS):
        rng = np.random.default_rng([SEED, 2, number])
        infant = nursery.infant(rng)
        # As recordings() scatters them: infants differ in how steadily they cry.
        spread = float(np.exp(rng.uniform(-0.22, 0.22)))
        cries = nursery.cries(infant, max(ENROLLED), rng, spread)
        own = nursery.cries(infant, PROBES, rng, spread)
        others = [nursery.cries(nursery.infant(rng), 1, rng)[0] for _ in range(PROBES)]
        # Drawn last, so that everyone begins with the same cries and has the same probes.
        later = nursery.cries(infant, max(enrolled) - max(ENROLLED), rng, spread)
        judge = contestant.judge(wards, pooled)
        for heard, cry in enumerate([*cries, *later], start=1):
            judge.observe(cry, f"cry-{heard}")
            if heard in enrolled:
                usual = [judge.probe(probe, f"own-{i}") for i, probe in enumerate(own)]
                strange = [judge.probe(probe, f"other-{i}") for i, probe in enumerate(others)]
                if usual[0] is None:
                    continue
                verdicts = np.array(usual), np.array(strange)
                areas[heard].append(area(verdicts[0][:, 0], verdicts[1][:, 0]))
                rates[heard].append(float(np.mean(verdicts[0][:, 1] < ALARM_BELOW_P)))
        tick()
    return {
        str(count): {
            "auc": float(np.mean(areas[count])),
            "fpr": float(np.mean(rates[count])),
            "worst_fpr": float(np.max(rates[count])),
        }
        for count in enrolled
        if areas[count]
    }


def ready_after(simulated: dict[str, dict[str, float]]) -> int | None:
    """The fewest cries after which infants are told apart; None if they never are."""
    able = [int(count) for count, figure in simulated.items() if figure["auc"] >= READY_AREA]
    return min(able, default=None)
