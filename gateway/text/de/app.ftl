app-title = { $page } – { $maker }
foot-imprint = Impressum
foot-privacy = Datenschutz
app-skip = Zum Inhalt
app-loading = Lädt…
app-language = Sprache

nav-main = Hauptmenü
nav-bottom = Hauptmenü, unten
nav-products = Produkte
nav-notices = Meldungen
nav-add = Hinzu­fügen
nav-settings = Optionen
nav-account = { $initials }: Ihr Konto, { $name }
nav-unread = { $count } ungelesen
nav-console = Konsole
nav-back-products = Meine Produkte
nav-back-notices = Meldungen

error-away = Wir erreichen den Server nicht. Was Sie sehen, kann veraltet sein. Wir versuchen es weiter.
error-unread = Der Server hat etwas geantwortet, das wir nicht lesen können. Versuchen Sie es noch einmal.
error-summary = Das hat nicht geklappt
missing-title = Diese Seite gibt es nicht
missing-text = Vielleicht ist die Adresse vertippt, oder das Produkt gehört Ihnen nicht mehr.
missing-home = Zu Meine Produkte

field-email = E-Mail
field-email-bad = Schreiben Sie die ganze Adresse, etwa jana@example.com.
field-name = Ihr Name
field-name-bad = Schreiben Sie Ihren Namen.
field-password = Passwort
field-password-new = Neues Passwort
field-password-hint = Mindestens 12 Zeichen. Ein paar Wörter hintereinander sind gut.
field-password-bad = Nehmen Sie mindestens 12 Zeichen.
field-password-none = Schreiben Sie Ihr Passwort.
field-show = Zeigen
field-hide = Verbergen
field-show-password = Passwort zeigen
field-hide-password = Passwort verbergen
field-code = Code
field-code-hint = 8 Ziffern, aus der E-Mail von uns.
field-code-bad = Der Code hat 8 Ziffern.

signin-title = Anmelden
signin-lead = Sehen Sie Ihre Produkte, und was zu tun ist, wenn eines Sie braucht.
signin-return = Melden Sie sich an, dann zeigen wir die Seite, die Sie wollten.
signin-do = Anmelden
signin-up = Konto anlegen
signin-forgot = Passwort vergessen?
signin-promise-1 = Wir beobachten die Produkte, die Sie registrieren
signin-promise-1-text = Verlässt ein Wert seinen Normalbereich, bekommen Sie eine Meldung, die sagt, was zu tun ist.
signin-promise-2 = Wir sagen Ihnen Rückrufe genau Ihres Geräts
signin-promise-2-text = Nach seiner Seriennummer. Sie vergleichen nie selbst Nummernbereiche.
signin-promise-3 = Sie sehen, warum Sie eine Meldung erhalten
signin-promise-3-text = Die Regel, die Messung und wann wir es Ihnen gesagt haben.

signup-title = Konto anlegen
signup-lead = Wir senden zuerst einen Code an Ihre Adresse, und sonst nichts, bevor Sie ihn eingeben.
signup-do = Code senden
signup-have = Ich habe ein Konto
confirm-title = Code eingeben
confirm-lead = Wir haben eine E-Mail an { $email } gesendet. Der Code darin gilt nur kurze Zeit.
confirm-do = Adresse bestätigen
confirm-again = Neuen Code senden
confirm-sent = Eine neue E-Mail ist unterwegs.
confirm-none = Keine E-Mail? Sehen Sie im Spam-Ordner nach und prüfen Sie die Adresse.
confirm-other = Andere Adresse verwenden

forgot-title = Neues Passwort wählen
forgot-lead = Wir senden einen Code an Ihre Adresse. Damit wählen Sie ein neues Passwort.
forgot-do = Code senden
forgot-save = Neues Passwort speichern
forgot-done = Das neue Passwort ist gespeichert
forgot-back = Zurück zur Anmeldung

invite-title = Zum Personal
invite-lead = Geben Sie den Code aus Ihrer Einladung ein und wählen Sie ein Passwort.
invite-do = Einladung annehmen

home-title = Meine Produkte
home-none = Noch keine Produkte.
home-count = { $count ->
    [one] { $count } Produkt.
   *[other] { $count } Produkte.
 }
home-need-none = Keines braucht Sie jetzt.
home-need = { $count ->
    [one] Eines braucht Sie jetzt.
   *[other] { $count } brauchen Sie jetzt.
 }
home-unheard = { $count ->
    [one] Von einem haben wir nichts gehört.
   *[other] Von { $count } haben wir nichts gehört.
 }
home-products = Ihre Produkte
home-add = Produkt hinzufügen
home-empty-title = Hier erscheinen Ihre Produkte
home-empty-text = Jedes mit seinem Zustand, den letzten Messwerten und dem, was zu tun ist. Sie brauchen Seriennummer und Registriercode.
home-all = Alle Meldungen

feed-empty-title = Keine Meldungen
feed-empty-other = Keine weiteren Meldungen
feed-empty-text = Wenn ein Produkt Sie braucht, erscheint die Meldung sofort hier, mit der Messung, die sie ausgelöst hat.
feed-empty-filter = Nichts von dieser Art.
feed-tab-all = Alle
feed-tab-unread = Ungelesen
feed-tab-open = Aktiv
feed-tab-done = Wieder normal
feed-tabs = Arten von Meldungen
feed-new = Neu
feed-more = Ältere Meldungen zeigen
feed-earlier = Früher
feed-arrived = Neue Meldung: { $title }
feed-see = Was zu tun ist
feed-why = Warum erhalte ich das?
feed-read = Lesen
feed-times = { $count }-mal
feed-group = { $count } Ihrer Produkte

state-recalled = Zurückgerufen
state-critical = Jetzt handeln
state-checking = Wird geprüft
state-warning = Bitte ansehen
state-update = Update bereit
state-info = Siehe Meldung
state-fine = In Ordnung
state-unknown = Noch nicht bekannt
conn-online = Online
conn-unhealthy = Lückenhaft
conn-offline = Offline
conn-unknown = Noch nichts gehört
conn-seen = { $word }, gesehen { $ago }

time-now = gerade eben
time-s = vor { $count } s
time-min = vor { $count } min
time-h = vor { $count } h
time-today = heute, { $time }
time-yesterday = gestern, { $time }
time-at = { $day }, { $time }
