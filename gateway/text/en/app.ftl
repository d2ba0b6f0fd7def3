app-title = { $page } – { $maker }
foot-imprint = Imprint
foot-privacy = Privacy
app-skip = Skip to content
app-loading = Loading…
app-language = Language

nav-main = Main
nav-bottom = Main, bottom
nav-products = Products
nav-notices = Notices
nav-add = Add
nav-settings = Settings
nav-account = { $initials }: your account, { $name }
nav-unread = { $count } unread
nav-console = Staff console
nav-back-products = My Products
nav-back-notices = Notices

error-away = We cannot reach the server. What you see may be old. We keep trying.
error-unread = The server answered something we cannot read. Try again.
error-summary = This did not work
missing-title = This page is not here
missing-text = The address may be mistyped, or the product is no longer yours.
missing-home = Go to My Products

field-email = Email
field-email-bad = Write the whole address, like jana@example.com.
field-name = Your name
field-name-bad = Write your name.
field-password = Password
field-password-new = New password
field-password-hint = At least 12 characters. A few words in a row are good.
field-password-bad = Use at least 12 characters.
field-password-none = Write your password.
field-show = Show
field-hide = Hide
field-show-password = Show the password
field-hide-password = Hide the password
field-code = Code
field-code-hint = 8 digits, from the mail we sent you.
field-code-bad = The code has 8 digits.

signin-title = Sign in
signin-lead = See your products, and what to do when one needs you.
signin-return = Sign in, then we show you the page you asked for.
signin-do = Sign in
signin-up = Create an account
signin-forgot = Forgot your password?
signin-promise-1 = We watch the products you register
signin-promise-1-text = When a value leaves its normal band, you get one notice that says what to do.
signin-promise-2 = We tell you about recalls of exactly your unit
signin-promise-2-text = By its serial. You never compare number ranges yourself.
signin-promise-3 = You see why you got each notice
signin-promise-3-text = The rule, the measurement and when we told you.

signup-title = Create an account
signup-lead = We send a code to your address first, and nothing else before you enter it.
signup-do = Send me the code
signup-have = I have an account
confirm-title = Enter the code
confirm-lead = We sent a mail to { $email }. The code in it is good for a short time.
confirm-do = Confirm my address
confirm-again = Send a new code
confirm-sent = A new mail is on its way.
confirm-none = No mail? Look in the spam folder, and check the address.
confirm-other = Use another address

forgot-title = Choose a new password
forgot-lead = We send a code to your address. With it you choose a new password.
forgot-do = Send me a code
forgot-save = Save the new password
forgot-done = The new password is saved
forgot-back = Back to sign in

invite-title = Join the staff
invite-lead = Enter the code from your invitation and choose a password.
invite-do = Accept the invitation

home-title = My Products
home-none = No products yet.
home-count = { $count ->
    [one] { $count } product.
   *[other] { $count } products.
 }
home-need-none = None needs you now.
home-need = { $count ->
    [one] One needs you now.
   *[other] { $count } need you now.
 }
home-unheard = { $count ->
    [one] We have heard nothing from one.
   *[other] We have heard nothing from { $count }.
 }
home-products = Your products
home-add = Add a product
home-empty-title = Your products appear here
home-empty-text = Each with its state, its last readings and what to do. You need the serial and the claim code.
home-all = All notices

feed-empty-title = No notices
feed-empty-other = No other notices
feed-empty-text = When a product of yours needs you, the notice appears here at once, with the measurement that raised it.
feed-empty-filter = Nothing of this kind.
feed-tab-all = All
feed-tab-unread = Unread
feed-tab-open = Active
feed-tab-done = Back to normal
feed-tabs = Kinds of notices
feed-new = New
feed-more = Show older notices
feed-earlier = Earlier
feed-arrived = New notice: { $title }
feed-see = See what to do
feed-why = Why did I get this?
feed-read = Read
feed-times = { $count } times
feed-group = { $count } of your products

state-recalled = Recalled
state-critical = Act now
state-checking = Being checked
state-warning = Needs attention
state-update = Update ready
state-info = See the notice
state-fine = Fine
state-unknown = Not known yet
conn-online = Online
conn-unhealthy = Patchy
conn-offline = Offline
conn-unknown = Nothing heard yet
conn-seen = { $word }, seen { $ago }

time-now = just now
time-s = { $count } s ago
time-min = { $count } min ago
time-h = { $count } h ago
time-today = today, { $time }
time-yesterday = yesterday, { $time }
time-at = { $day }, { $time }
