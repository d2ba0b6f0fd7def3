# Service mail: codes, invitations.
letter-confirm-subject = Your code: { $code }
letter-confirm-lead = Enter this code to confirm your address.
letter-confirm-note = It counts for { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
 }. If you did not sign up, do nothing: nothing else is sent to you.

letter-account_exists-subject = You have an account already
letter-account_exists-lead = Somebody signed up with this address, and it has an account already.
letter-account_exists-note = If it was you, sign in, or set a new password. If not, do nothing: nothing was changed.
letter-account_exists-button = Sign in

letter-reset-subject = Your code: { $code }
letter-reset-lead = Enter this code to set a new password.
letter-reset-note = It counts for { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
 }. If you did not ask for it, do nothing: your password stays.

letter-password_changed-subject = Your password was changed
letter-password_changed-lead = The password of your account was changed.
letter-password_changed-note = If it was not you, set a new one now, and sign out everywhere.
letter-password_changed-button = Set a new password

letter-invite-subject = { $maker } invites you to join the staff
letter-invite-lead = Enter this code with your address to begin.
letter-invite-note = It counts for { $days ->
    [one] { $days } day
   *[other] { $days } days
 }. You then choose a password.
letter-invite-button = Begin
