"""For everybody, without a session: accounts, links of mails, languages."""
