prefs-title = What reaches you, and how
prefs-lead = Everything is always kept under Notices. Here you choose what also comes to you.
prefs-matrix = Kinds and channels
prefs-tell = Tell me about
prefs-push = Push
prefs-email = Email
prefs-safety = Safety recalls
prefs-safety-why = Always on, by push and by email at once. The law requires makers to tell every owner they can reach.
prefs-locked = on, cannot be changed
prefs-warning = Warnings and act now
prefs-warning-text = Something is wrong with your product
prefs-info = Information
prefs-info-text = Good to know, no hurry
prefs-first = tried first
prefs-next = follows
prefs-follow = Not opened within { $after }? Then the next channel follows.
prefs-never = not on this channel
prefs-allowed = May we use it?
prefs-allowed-text = For everything but safety
prefs-mail-label = Notices by email, other than safety
prefs-mail-on = notices may come by email
prefs-mail-off = only safety comes by email
prefs-reach-unconfirmed = Not confirmed yet
prefs-phone-since = Registered { $day }
prefs-phone-out = Take out
prefs-phone-gone = The phone is taken out
prefs-network = Your preferred network
prefs-network-text = Where we try first.
prefs-learn = Learn from what I open
prefs-learn-now = Learn from what I open: { $channel }
prefs-learn-text = We try first where you opened the most lately.
prefs-push-first = Push first
prefs-push-text = { $count ->
    [one] { $count } phone is registered
   *[other] { $count } phones are registered
 }
prefs-push-none = No phone is registered yet. The app on your phone does it.
prefs-email-first = Email first
prefs-saved = Saved: { $what }
prefs-language = Language
prefs-language-text = Of these pages, and of what we send you.
prefs-language-saved = Language: { language-name }
prefs-zone = Time zone
prefs-zone-text = Of all times on these pages and in what we send you.
prefs-zone-here = Use that of this device: { $zone }
prefs-zone-saved = Times are in { $zone } now
prefs-reach = Where we can reach you
prefs-reach-confirmed = Confirmed
prefs-reach-phone = { $count ->
    [one] { $count } phone
   *[other] { $count } phones
 }
prefs-reach-phone-none = No phone

account-title = Your account
account-role = Role
account-role-customer = Owner
account-role-support = Support
account-role-product_manager = Product manager
account-role-administrator = Administrator
account-leave = Sign out
account-leave-text = On this browser only.
account-leave-all = Sign out everywhere
account-leave-all-text = Ends every session: phones, tablets, other computers. Do this when you lost one.
account-password = Password
account-password-present = Present password
account-console = Console
account-out = You are signed out
account-out-all = You are signed out everywhere
