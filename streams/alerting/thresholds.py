"""Every threshold of every alert, each with its reason: the one place to change one.

The workers' own alerts read it at run time; `deploy/prometheus/write_rules.py` makes Prometheus'
rules of it. A ward that wants others changes a default here and writes the rules anew.
"""

from dataclasses import dataclass

from models.deviation.baseline import READY_AFTER
from models.deviation.gate import MAX_CLIPPED_FRACTION, ODD_BELOW_P


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When each alert begins. Durations are in seconds."""

    # What the gate holds back, so that a changed voice is not learned before it is told of. One
    # usual cry in seven has such a p-value, and one in ninety thousand makes six of them in a row;
    # cries of one fit of crying are alike, and so five in a row are too few (docs/alerts.md). Sigma
    # keeps out what is rare but hardly different.
    deviant_p_value: float = ODD_BELOW_P
    deviant_sigma: float = 1.0
    deviant_cries: int = 6
    # One usual cry may be chance in an infant that is unwell; two in a row end the alert.
    calm_cries: int = 2
    # So many cries are what the drift's recent mean remembers: before, it may be the same few.
    drifting_cries: int = 12

    # Breath and short pauses are no cry: half of two minutes is crying without a real pause.
    crying_share: float = 0.5
    crying_window: int = 120
    # With the window before it: ten minutes in which nobody could calm the infant.
    crying_for: int = 480

    # Against the mean of the same infant's days before, of which there must be three.
    habit_days: int = 7
    habit_least_days: int = 3
    more_factor: float = 2.0
    more_spreads: float = 3.0
    more_seconds: int = 1800
    less_factor: float = 0.25
    # Who cries less than this a day cannot be said to cry less.
    less_habit_seconds: int = 1200
    # An infant that was not heard has not been quiet.
    less_heard_share: float = 0.9

    # A second comes each second; thirty are beyond any jitter, restart or hand-over but a crash.
    silent_after: int = 30
    # What a monitor needs to be switched on after the admission was typed in.
    never_heard_for: int = 120
    # As the gate: more samples at full scale are distortion that anyone hears.
    clipped_fraction: float = MAX_CLIPPED_FRACTION
    clipped_share: float = 0.2
    # Under the air noise of any room (-66 dBFS and up in quiet ones): a muted or dead microphone.
    quiet_dbfs: float = -80.0
    quiet_share: float = 0.95
    sound_window: int = 600
    sound_least_seconds: int = 60

    # Fewer accepted cries do not make a baseline. A newborn cries so many times within a day.
    ready_cries: int = READY_AFTER
    learning_seconds: int = 86_400
    learning_cry_seconds: int = 60
    # A healthy ward's gate refuses a third at most; of fewer decisions a share says little.
    refused_share: float = 0.9
    refused_window: int = 21_600
    refused_least: int = 30
    # A pause is for a treatment or an illness; after three days it is more likely forgotten.
    paused_seconds: int = 3 * 86_400

    # A worker that is started needs half a minute until it owns its partitions.
    no_worker_for: int = 60
    worker_down_for: int = 60
    # Real time is under a second; the sound itself is kept for 15 minutes only.
    chunk_age: float = 10.0
    chunk_age_for: int = 60
    scoring_stalled: int = 30
    scoring_stalled_for: int = 30
    # Sixty commit intervals: what was not committed is what a crash makes anew.
    commits_stalled: int = 60
    commits_stalled_for: int = 60
    dead_letters: int = 5
    dead_letters_window: int = 600
    timeline_for: int = 600
    # Posts are tried again within seconds; a minute is an Alertmanager that does not answer.
    undelivered_for: int = 60
    # A certificate's renewal may need a person, and a person may be on leave.
    certificate_days: int = 14

    # While an infant is handed to another worker nobody shows it: twelve seconds were measured
    # with a session timeout of six, ten are the default; and a scrape on each side.
    hand_over: int = 60
    # One silent monitor may have heard something an hour ago in another worker.
    remember_monitor: int = 3600


THRESHOLDS = Thresholds()
