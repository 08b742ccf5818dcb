"""Who is notified, and when: receivers, routes, escalation, rotas."""
