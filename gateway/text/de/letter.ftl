# Service mail: codes, invitations.
letter-confirm-subject = Ihr Code: { $code }
letter-confirm-lead = Geben Sie diesen Code ein, um Ihre Adresse zu bestätigen.
letter-confirm-note = Er gilt { $minutes ->
    [one] { $minutes } Minute
   *[other] { $minutes } Minuten
 }. Wenn Sie sich nicht angemeldet haben, tun Sie nichts: Sie erhalten nichts weiter.

letter-account_exists-subject = Sie haben schon ein Konto
letter-account_exists-lead = Jemand wollte mit dieser Adresse ein Konto anlegen, und es gibt schon eines.
letter-account_exists-note = Waren Sie es, melden Sie sich an oder setzen Sie ein neues Passwort. Wenn nicht, tun Sie nichts: Es wurde nichts geändert.
letter-account_exists-button = Anmelden

letter-reset-subject = Ihr Code: { $code }
letter-reset-lead = Geben Sie diesen Code ein, um ein neues Passwort zu setzen.
letter-reset-note = Er gilt { $minutes ->
    [one] { $minutes } Minute
   *[other] { $minutes } Minuten
 }. Wenn Sie nicht darum gebeten haben, tun Sie nichts: Ihr Passwort bleibt.

letter-password_changed-subject = Ihr Passwort wurde geändert
letter-password_changed-lead = Das Passwort Ihres Kontos wurde geändert.
letter-password_changed-note = Waren Sie es nicht, setzen Sie jetzt ein neues, und melden Sie sich überall ab.
letter-password_changed-button = Neues Passwort setzen

letter-invite-subject = { $maker } lädt Sie ins Team ein
letter-invite-lead = Geben Sie diesen Code mit Ihrer Adresse ein, um zu beginnen.
letter-invite-note = Er gilt { $days ->
    [one] { $days } Tag
   *[other] { $days } Tage
 }. Danach wählen Sie ein Passwort.
letter-invite-button = Beginnen
