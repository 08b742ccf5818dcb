"""The first steps: from a key to the first message, each with what to do when it fails."""

from service.api.dashboard.start import answers, page

ROUTERS = (page.router, answers.router)
