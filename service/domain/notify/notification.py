"""Notifications: why each is written, the message that is delivered for it, and what became of that.

A batch of notifications is claimed, a delivery is composed, an outcome is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from service.domain.alerts.alert import AlertState, Reason
from service.domain.values.severity import Severity


class Action(StrEnum):
    """The effect of a notification in its channel."""

    OPEN = "open"
    RAISE = "raise"
    AMEND = "amend"
    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    RESOLVE = "resolve"


FIRING_ACTIONS = frozenset({Action.OPEN, Action.RAISE})
"""The actions that call for somebody's attention; the others follow up on them."""


class NotificationCause(StrEnum):
    """Why a notification is written. A fallback has the cause of the call that it takes elsewhere."""

    EVENT = "event"
    """An event of the alert, for channels that a route or a policy's first step leads to, or that were notified."""
    HELD_BACK = "held_back"
    """The same, held back by a silence, another alert or a mute time. What is sent later is another notification."""
    ESCALATION = "escalation"
    """A later step of an escalation policy, or any step in a later round."""
    REPEAT = "repeat"
    """Nobody has answered. Repeats are counted in `round`."""
    SUMMARY = "summary"
    """A summary is brought up to date, although the alert has a message of its own, too."""


class NotificationState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"
    SUPPRESSED = "suppressed"


class MessageType(StrEnum):
    """The subject of a message: one alert, several, a digest's figures, or nothing but the channel itself."""

    ALERT = "alert"
    SUMMARY = "summary"
    DIGEST = "digest"
    TEST = "test"
    """A receiver's test, which must not leave an incident open."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One alert in a message about several. `standing` is how it stands: "critical, acknowledged by ann"."""

    state: AlertState
    severity: Severity
    headline: str
    standing: str
    link: str
    alert_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """The content of a delivery, before any channel's own markup. All texts are plain and untrusted.

    `headline` is one line ("API key support-bot: $55/h above normal since 13:00 UTC"), `title` the same without what
    `summary`, the two lines below it, says as well. `change` is what just happened ("Now critical: ..."), empty where
    the headline says it. `notice` is the one line that a phone shows of this moment. `small_print` are short remarks,
    how the alert stands first; `facts` are (label, value) pairs for who reads on. `next_step` says what to do; `page`
    is the address of the Console's page in it.
    `version` and `kind` are the alert's; `has_figure`: it may be snoozed by growth; `takes_feedback`: answers to it
    teach a rule. `people` are the actors whom the texts name. A message that is not about one alert has no kind, and
    its own id instead of the alert's. `listed` are a summary's alerts, worst first, `unlisted` how many there are
    besides.
    """

    alert_id: str
    state: AlertState
    severity: Severity
    headline: str
    summary: str
    change: str
    facts: tuple[tuple[str, str], ...]
    next_step: str
    link: str
    type: MessageType = MessageType.ALERT
    simulated: bool = False
    version: int = 0
    kind: str | None = None
    has_figure: bool = False
    takes_feedback: bool = False
    people: tuple[str, ...] = ()
    title: str = ""
    notice: str = ""
    small_print: tuple[str, ...] = ()
    page: str = ""
    listed: tuple[Listed, ...] = ()
    unlisted: int = 0

    @property
    def one_line(self) -> str:
        """The only line that a phone shows."""
        return self.notice or self.headline

    @property
    def aside(self) -> str:
        """The change, where the one line does not say it."""
        return "" if self.change.rstrip(".") in self.one_line else self.change


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as PNG, what it shows in words, and where others can fetch it for a while; None: nowhere."""

    png: bytes
    alt: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside a message, for channels that take one: its name, its media type ("text/csv") and its text."""

    name: str
    media: str
    text: str


class MessageForm(StrEnum):
    """The look of a message in its channel."""

    FULL = "full"
    PLAIN = "plain"
    """Text alone, shortened: what a channel takes that refused the full one for its form or size."""


PLAIN_HEADLINE, PLAIN_SENTENCE = 150, 300


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way to one channel at the instant `at`. `picture` and `attachment` are for channels that take
    them.

    `id` is the same at every attempt: the destination's idempotency key where it has one. `post` is the channel's own
    reference to what it posted about this alert before (a Slack timestamp, a mail's Message-ID), which the message
    edits, answers or closes; None where nothing was posted yet. `left_to` are the only addresses that it is for, where
    the others have it.
    """

    id: str
    action: Action
    message: Message
    post: str | None
    at: datetime
    picture: Picture | None = None
    form: MessageForm = MessageForm.FULL
    left_to: tuple[str, ...] = ()
    attachment: Attachment | None = None

    def plainest(self) -> Delivery:
        """The delivery as text alone: headline, what happened and the link."""
        message = replace(
            self.message,
            headline=_cut(self.message.headline, PLAIN_HEADLINE),
            summary=_cut(self.message.summary, PLAIN_SENTENCE),
            change=_cut(self.message.change, PLAIN_SENTENCE),
            next_step=_cut(self.message.next_step, PLAIN_SENTENCE),
            facts=(),
            listed=(),
            unlisted=self.message.unlisted + len(self.message.listed),
        )
        return replace(self, message=message, picture=None, attachment=None, form=MessageForm.PLAIN)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A channel's answer to a message that it took. `detail` is for people.

    `post` is its reference to the message, by which later ones edit, answer or close it; None where it has none.
    `left_to` are addresses that may take it later, `delayed` says what was answered about them; `refused` which never
    will.
    """

    post: str | None
    detail: str
    left_to: tuple[str, ...] = ()
    refused: str = ""
    delayed: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `detail` says why it ended so.

    `outcome` is sent, failed, or settled for what needs no message any more. It is `taken` where the channel has the
    message, and what belongs to it is still to be added; `partly` where some addresses have it; `waiting` where it was
    not tried, since the channel rests.
    """

    at: datetime
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class Notification:
    """An alert's event for one channel. `alert_version` is the version of the alert that the event led to.

    `level` is the version by which calls are distinguished: the event's own, or that of the call which is made again;
    of a later call of an escalation its chain's, with the policy.
    `step` is the step of an escalation policy, from 0, and `round` counts its rounds, or repeats. `fallback_for` is the
    dead notification whose content this one takes elsewhere. `group_key` names the group of collected alerts that it
    leaves with, as one message; None sends it by itself. `sent_with` is the id of the summary, a message about several
    alerts, that it was sent in; None where it had a message of its own. `left_to` are the addresses that have not taken
    it yet while others have; empty where it is all of them, or none. `held_by` names the silences that held it back.
    """

    id: str
    alert_id: str
    alert_version: int
    receiver_id: str
    channel: str
    action: Action
    reason: Reason
    level: str
    state: NotificationState
    created_at: datetime
    due_at: datetime
    cause: NotificationCause = NotificationCause.EVENT
    step: int = 0
    round: int = 0
    attempts: tuple[Attempt, ...] = ()
    sent_at: datetime | None = None
    fallback_for: str | None = None
    group_key: str | None = None
    sent_with: str | None = None
    left_to: tuple[str, ...] = ()
    held_by: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether the channel has the message already, so that it must not be sent again."""
        return bool(self.attempts) and self.attempts[-1].outcome == TAKEN

    @property
    def was_tried(self) -> bool:
        return any(one.outcome != WAITING for one in self.attempts)

    @property
    def call(self) -> tuple[str, NotificationCause, int, int]:
        """Identifies one call of an alert, the same in every channel that it goes to."""
        return self.level, self.cause, self.step, self.round


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


TAKEN, WAITING = "taken", "waiting"
MOST_DEFECTS = 5
"""Tries of a message that ended in an error nobody foresaw: about four minutes, then somebody else is notified."""
MOST_ATTEMPTS = 80
"""Three days: longer than a weekend's outage."""
LONGEST_WAIT = timedelta(days=3)
"""How long a message waits for a channel that refuses all of them: as long."""
MOST_KEPT = 60
"""Attempts that stay on record of a message whose channel refuses all of them: the first and the last ones."""
FIRST_RETRY = timedelta(seconds=15)
LONGEST_RETRY = timedelta(hours=1)
MOST_AT_ONCE = 50
"""Notifications that are claimed together, and messages that are sent side by side."""


def after_taking(notification: Notification, receipt: Receipt, now: datetime) -> Notification:
    """The notification, still queued, with the channel's receipt on record."""
    return replace(notification, attempts=(*notification.attempts, Attempt(now, TAKEN, receipt.detail)))


def after_success(notification: Notification, receipt: Receipt, now: datetime) -> Notification:
    """The notification, sent, with the attempt on record. What was taken and what was added to it are one attempt."""
    attempts = _with(notification.attempts, Attempt(now, "sent", receipt.detail))
    return replace(notification, state=NotificationState.SENT, sent_at=now, attempts=attempts, left_to=())


def after_part(notification: Notification, receipt: Receipt, now: datetime) -> Notification:
    """The notification, due again for the addresses that are left; sent where they were tried too often."""
    tried = len(notification.attempts) + 1
    if tried >= MOST_ATTEMPTS:
        return after_success(notification, receipt, now)
    attempts = _with(notification.attempts, Attempt(now, "partly", receipt.detail))
    due_at = now + retry_wait(tried, None)
    return replace(notification, attempts=attempts, due_at=due_at, left_to=receipt.left_to)


def alike(said: Notification, other: Notification) -> Notification:
    """The other notification, with the outcome of `said`: both left in the same message."""
    return replace(
        other,
        state=said.state,
        due_at=said.due_at,
        sent_at=said.sent_at,
        sent_with=said.sent_with,
        left_to=said.left_to,
        attempts=_with(other.attempts, said.attempts[-1]),
    )


def after_failure(
    notification: Notification, *, reason: str, permanent: bool, retry_after: timedelta | None, now: datetime
) -> Notification:
    """The notification, due again after a pause; dead when the failure is permanent or it was tried too often."""
    tried = len(notification.attempts) + 1
    attempts = (*notification.attempts, Attempt(now, "failed", reason))
    if permanent or tried >= MOST_ATTEMPTS:
        return replace(notification, state=NotificationState.DEAD, attempts=attempts)
    return replace(notification, due_at=now + retry_wait(tried, retry_after), attempts=attempts)


def after_refusal(notification: Notification, *, reason: str, now: datetime) -> Notification:
    """The notification after its channel refused it as it would any other; dead once that has lasted for too long."""
    return _still_waiting(notification, Attempt(now, "failed", reason))


def after_rest(notification: Notification, *, reason: str, until: datetime, now: datetime) -> Notification:
    """The notification, due when its channel's rest ends. It was not tried."""
    return replace(_still_waiting(notification, Attempt(now, WAITING, reason)), due_at=until)


def _still_waiting(notification: Notification, attempt: Attempt) -> Notification:
    attempts = _with(notification.attempts, attempt)
    if len(attempts) > MOST_KEPT:
        attempts = (*attempts[: MOST_KEPT // 2], *attempts[-MOST_KEPT // 2 :])
    if attempt.at - notification.created_at >= LONGEST_WAIT:
        return replace(notification, state=NotificationState.DEAD, attempts=attempts)
    return replace(notification, due_at=attempt.at + retry_wait(len(attempts), None), attempts=attempts)


def _with(attempts: tuple[Attempt, ...], newest: Attempt) -> tuple[Attempt, ...]:
    """The attempts with one more, which takes the place of a receipt, and of the same wait."""
    last = attempts[-1].outcome if attempts else ""
    is_continued = last == TAKEN or last == newest.outcome == WAITING
    return (*(attempts[:-1] if is_continued else attempts), newest)


def retry_wait(tried: int, retry_after: timedelta | None) -> timedelta:
    """The pause after so many failures: doubled each time, and not shorter than the channel asked for.

    An hour at most: an alarm cannot wait for days.
    """
    doubled: timedelta = FIRST_RETRY * 2 ** min(tried - 1, 20)
    return min(max(doubled, retry_after or FIRST_RETRY), LONGEST_RETRY)
