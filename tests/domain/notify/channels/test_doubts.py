"""What is doubtful about a credential, and that it is never repeated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.domain.notify.channels import doubts

NO_UUID = "FAKE-api-token-of-atlassian"


@pytest.mark.parametrize(
    ("doubt", "secret"),
    [
        (doubts.routing_key, "0123456789abcdef0123456789ABCDEF"),
        (doubts.integration_key, "00000000-aaaa-4bbb-8ccc-0123456789ab"),
        (doubts.slack_webhook, "https://hooks.slack.com/services/T0FAKE/B0FAKE/FAKE"),
        (doubts.slack_webhook, "https://hooks.slack-gov.com/services/T0FAKE/B0FAKE/FAKE"),
        (doubts.teams_workflow, "https://prod-1.westeurope.logic.azure.com:443/workflows/FAKE/triggers?sig=FAKE"),
        (doubts.teams_workflow, "https://default0.1.environment.api.powerplatform.com/workflows/FAKE?sig=FAKE"),
        (doubts.discord_webhook, "https://canary.discord.com/api/webhooks/1234/FAKE"),
        (doubts.no_doubt, "anything"),
    ],
)
def test_what_a_vendor_makes_is_not_doubted(doubt: Callable[[str], str], secret: str) -> None:
    assert doubt(secret) == ""


@pytest.mark.parametrize(
    ("doubt", "secret", "why"),
    [
        (doubts.routing_key, "FAKEkeyOfTheRestApi0", "this one has 20"),
        (doubts.routing_key, "0123456789abcdef-123456789abcdef", "this one has others, too"),
        (doubts.integration_key, NO_UUID, "not an Atlassian API token"),
        (doubts.slack_webhook, "https://hooks.slack.com.example/services/T0/B0/FAKE", "at https://hooks.slack.com"),
        (doubts.slack_webhook, "https://evilhooks.slack.com/services/T0/B0/FAKE", "at https://hooks.slack.com"),
        (doubts.slack_webhook, "https://hooks.slack.com/triggers/T0/1/FAKE", "workflow's trigger"),
        (
            doubts.teams_workflow,
            "https://acme.webhook.office.com/webhookb2/FAKE",
            "connectors of Office 365 have ended",
        ),
        (doubts.teams_workflow, "https://prod-1.logic.azure.com/workflows/FAKE?sv=1.0", "sig=..."),
        (doubts.teams_workflow, "https://teams.example.com/FAKE?sig=FAKE", "workflows are at"),
        (doubts.discord_webhook, "https://relay.example.com/api/webhooks/1234/FAKE", "at https://discord.com"),
    ],
)
def test_a_form_that_no_vendor_makes_is_doubted_without_repeating_it(
    doubt: Callable[[str], str], secret: str, why: str
) -> None:
    said = doubt(secret)
    assert why in said
    assert secret not in said
