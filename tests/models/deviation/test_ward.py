import numpy as np
import pytest
from simulated import Nursery

from models.deviation.population import (
    Population,
    WardError,
    shrunk_covariance,
    within_and_between,
)
from models.deviation.strangers import MAX_SCORES_PER_INFANT
from models.deviation.ward import WardModel
from models.identity.runtime import CryEmbedder


def test_a_saved_ward_comes_back_number_for_number(ward, tmp_path):
    ward.save(tmp_path / "ward.safetensors")
    back = WardModel.load(tmp_path / "ward.safetensors")
    assert back.version == ward.version
    for name in ("mean", "middle", "transform", "between", "scores"):
        assert np.array_equal(getattr(back, name), getattr(ward, name))


def test_a_saved_ward_is_for_everybody_to_read(ward, tmp_path):
    ward.save(tmp_path / "ward.safetensors")
    (tmp_path / "any-file").touch()
    modes = [path.stat().st_mode for path in tmp_path.iterdir()]
    assert modes[0] == modes[1]


def test_a_ward_remembers_whose_embeddings_it_was_fitted_to(tmp_path):
    embeddings, infants = Nursery(2).recordings(30, np.random.default_rng(0))
    path = tmp_path / "ward.safetensors"
    for embedder in ("identity-7", None):
        fitted = WardModel.fit(embeddings, infants, embedder_version=embedder)
        fitted.save(path)
        assert WardModel.load(path).embedder_version == fitted.embedder_version == embedder


def test_the_shipped_ward_loads_and_takes_192_numbers():
    assert WardModel.load().size == 192


def test_the_shipped_ward_was_fitted_to_the_shipped_embedder():
    assert WardModel.load().embedder_version == CryEmbedder().version


def test_wards_that_score_otherwise_have_other_versions(ward):
    other = WardModel(ward.mean, ward.middle, ward.transform, ward.between, ward.scores * 1.01)
    assert other.version != ward.version


def test_what_is_no_ward_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "ward.safetensors"
    with pytest.raises(WardError, match="not a readable ward"):
        WardModel.load(path)
    path.write_bytes(b"something else")
    with pytest.raises(WardError, match="not a readable ward"):
        WardModel.load(path)


def test_a_non_finite_embedding_is_refused_before_fitting():
    embeddings, infants = Nursery(2).recordings(20, np.random.default_rng(0))
    embeddings[3, 7] = np.nan
    with pytest.raises(WardError, match="not finite"):
        WardModel.fit(embeddings, infants)


def test_infants_with_one_cry_each_teach_nothing():
    embeddings, _ = Nursery(2).recordings(20, np.random.default_rng(0))
    with pytest.raises(WardError, match="two cries"):
        WardModel.fit(embeddings, [str(i) for i in range(len(embeddings))])


def test_whitened_cries_of_new_infants_scatter_with_variance_one(ward, nursery):
    rng = np.random.default_rng(11)
    variances = []
    for _ in range(40):
        cries = nursery.cries(nursery.infant(rng), 6, rng)
        whitened = np.array([ward.whiten(cry) for cry in cries])
        variances.append(ward.scatter(whitened) / 5)
    assert np.mean(variances) == pytest.approx(1.0, abs=0.08)


def test_a_usual_score_is_the_same_after_3_cries_and_after_30(ward, nursery):
    rng = np.random.default_rng(12)
    means = {}
    for enrolled in (3, 30):
        scores = []
        for _ in range(40):
            cries = [ward.whiten(c) for c in nursery.cries(nursery.infant(rng), enrolled + 3, rng)]
            known = np.array(cries[:enrolled])
            mean = known.mean(axis=0)
            belief = ward.believe(mean, ward.scatter(known), enrolled)
            scores += [ward.nonconformity(cry, belief) for cry in cries[enrolled:]]
        means[enrolled] = np.mean(scores)
    assert abs(means[3] - means[30]) < 0.5 * ward.usual_scatter
    assert means[30] == pytest.approx(ward.usual_score, abs=0.5 * ward.usual_scatter)


def test_the_evidence_favours_the_infant_who_cried(ward, nursery):
    rng = np.random.default_rng(13)
    for _ in range(20):
        infant = nursery.infant(rng)
        known = np.array([ward.whiten(cry) for cry in nursery.cries(infant, 8, rng)])
        mean = known.mean(axis=0)
        belief = ward.believe(mean, ward.scatter(known), 8)
        own = ward.whiten(nursery.cries(infant, 1, rng)[0])
        other = ward.whiten(nursery.cries(nursery.infant(rng), 1, rng)[0])
        assert ward.evidence(own, belief) > 0 > ward.evidence(other, belief)


def test_pooled_scores_are_of_infants_whom_the_whitening_did_not_know(nursery):
    embeddings, infants = nursery.recordings(120, np.random.default_rng(5))
    ward = WardModel.fit(embeddings, infants)
    rng = np.random.default_rng(6)
    fresh = []
    for _ in range(60):
        cries = [ward.whiten(cry) for cry in nursery.cries(nursery.infant(rng), 4, rng)]
        mean = np.mean(cries[:3], axis=0)
        scatter = ward.scatter(np.array(cries[:3]))
        fresh.append(ward.nonconformity(cries[3], ward.believe(mean, scatter, 3)))
    assert np.mean(fresh) == pytest.approx(ward.usual_score, abs=0.5 * ward.usual_scatter)


def test_a_talkative_infant_does_not_speak_for_the_ward(nursery):
    rng = np.random.default_rng(7)
    embeddings, infants = nursery.recordings(30, rng)
    before = WardModel.fit(embeddings, infants)
    many = nursery.cries(nursery.infant(rng), 200, rng)
    after = WardModel.fit(np.concatenate([embeddings, many]), infants + ["talker"] * 200)
    assert after.scores.size - before.scores.size == MAX_SCORES_PER_INFANT


def test_a_population_without_knowledge_believes_the_ward():
    population = Population(np.zeros(4), np.zeros(4), np.eye(4), np.full(4, 2.0))
    belief = population.believe(np.zeros(4), 0.0, 0)
    assert np.array_equal(belief.uncertainty, np.full(4, 2.0))
    assert belief.spread == 1.0


def test_shrinkage_makes_few_rows_invertible_and_leaves_many_alone():
    rng = np.random.default_rng(0)
    few = rng.normal(size=(10, 50))
    assert np.linalg.eigvalsh(shrunk_covariance(few)).min() > 0
    scale = np.linspace(0.5, 2.0, 5)
    many = rng.normal(size=(20_000, 5)) * scale
    assert np.allclose(np.diag(shrunk_covariance(many)), scale**2, rtol=0.05)


def test_fitting_finds_both_variances():
    """Ten directions, two cries an infant: infants stand apart by 9 along one, by 0.5 elsewhere."""
    rng = np.random.default_rng(1)
    apart = np.sqrt(np.array([9.0] + [0.5] * 9))
    infants = np.repeat(rng.normal(size=(3_000, 10)) * apart, 2, axis=0)
    cries = infants + rng.normal(size=infants.shape)
    names = np.repeat(np.arange(3_000), 2).astype(str)
    _, transform, between = within_and_between(cries, names)
    assert np.diag(transform @ transform.T) == pytest.approx(1.0, abs=0.1)
    assert between[0] == pytest.approx(9.0, rel=0.1)
    assert between[1:] == pytest.approx(0.5, abs=0.15)


def test_the_scale_is_that_of_infants_unknown_to_the_embedder(nursery):
    """An embedder that draws its own infants' cries together would make strangers' look strange."""
    rng = np.random.default_rng(91)
    known, names = nursery.recordings(150, rng)
    means = {name: known[[n == name for n in names]].mean(axis=0) for name in set(names)}
    known = np.array([means[n] + 0.6 * (x - means[n]) for x, n in zip(known, names, strict=True)])
    met, met_names = nursery.recordings(40, rng)
    met_names = [f"met-{name}" for name in met_names]
    x, infants = np.concatenate([known, met]).astype(np.float32), names + met_names

    def usual(ward: WardModel) -> float:
        scores = []
        for _ in range(60):
            cries = np.array([ward.whiten(c) for c in nursery.cries(nursery.infant(rng), 5, rng)])
            belief = ward.believe(cries[:4].mean(axis=0), ward.scatter(cries[:4]), 4)
            scores.append(ward.nonconformity(cries[4], belief))
        return (np.mean(scores) - ward.usual_score) / ward.usual_scatter

    assert usual(WardModel.fit(x, infants)) > 0.8
    assert abs(usual(WardModel.fit(x, infants, unseen=met_names))) < 0.5


def test_of_one_sitting_one_cry_tells_how_cries_vary(nursery):
    """Each cry repeated in its sitting: the repeats must not make cries look alike."""
    embeddings, infants = nursery.recordings(100, np.random.default_rng(92))
    once = WardModel.fit(embeddings, infants)
    rows = np.repeat(np.arange(len(infants)), 3)
    names, sittings = [infants[row] for row in rows], rows.tolist()
    thrice = WardModel.fit(embeddings[rows], names, sittings)
    naive = WardModel.fit(embeddings[rows], names)
    shape = once.between / once.between[0]
    assert np.allclose(thrice.between / thrice.between[0], shape, atol=1e-4)
    assert not np.allclose(naive.between / naive.between[0], shape, atol=1e-2)


def test_only_the_direction_of_a_cry_from_the_wards_mean_counts(ward, nursery):
    rng = np.random.default_rng(93)
    step = nursery.cries(nursery.infant(rng), 1, rng)[0] - ward.mean
    assert np.allclose(ward.whiten(ward.mean + step), ward.whiten(ward.mean + 0.3 * step))
    assert np.isfinite(ward.whiten(ward.mean)).all()
