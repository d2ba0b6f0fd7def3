"""Endpoints without a role: accounts, links in mails, the language, the state of the installation."""
