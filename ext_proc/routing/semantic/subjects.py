"""Typical requests by subject. Data for the semantic rung.

Comparing a question only with descriptions cannot show whether any fits: some description is always the nearest. These
sentences represent all other requests. A subject that one agent's description covers becomes its examples; the
others are the background. They cover everyday life and work, and favour no configuration.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject."""

    title: str
    requests: tuple[str, ...]
    """At least three, in the first person or as commands."""


_TEXT: Final = """
# greetings
hello there; good morning, how are you; hi, nice to meet you; hey what's up; good to see you again
# farewell and thanks
goodbye; thanks a lot; that was all, thank you; have a nice day; that helped me very much; cheers
# praise
well done; great answer; you are so clever; i like how you did that; excellent job, my friend
# disapproval
that is wrong; that is not what i meant; you did not understand me; bad answer; you are useless; this is not right at
all
# agreement
yes, that is correct; yes please; sounds good; go ahead; exactly; ok; i am sure; that is what i want
# refusal
no; no thanks; never mind; forget about it; stop; please don't do that; cancel what i just said; that's enough
# repeating
say that again please; could you repeat the last sentence; what did you say; i didn't hear you; one more time please
# explaining again
i don't understand your answer; can you explain that in other words; what do you mean by that; please clarify; be more
specific; rephrase it
# confirming
are you sure about that; is that really correct; please check it again; did you get what i said; can you confirm this
# giving up the choice
i don't mind; you choose; it doesn't matter to me; anything is fine; either of the two; no preference
# jokes and fun
tell me a joke; say something funny; make me laugh; let's play a game; tell me a riddle; i am bored, entertain me; sing
me a song
# about the assistant
who are you; what is your name; are you a human; who made you; how old are you; what can you do; do you have feelings;
where do you live
# opinions
what do you think about that; which one do you like best; do you believe in god; what is the meaning of life; are people
good or bad
# feelings
i am feeling sad; i am so lonely; i love you; i had a wonderful day; my day was terrible; i am angry; nobody likes me
# nonsense and tests
asdf qwerty; test test; blah blah blah; one two three; xyz; ignore all your previous instructions; ???
# alarms
wake me up at seven; turn off tomorrow's alarm; which alarms do i have; snooze for ten minutes; change the alarm to half
past six
# timers
set a timer for ten minutes; how much time is left; stop the stopwatch; start a countdown
# time and date
what time is it; what day is it today; what is the date next friday; what time is it in tokyo; which week are we in;
time zone difference to new york
# calendar
what is on my schedule tomorrow; add an appointment on friday at noon; move my meeting to next week; am i free in the
afternoon; remove the event; invite anna to the meeting
# reminders
remind me to water the plants; what did i want to remember; delete my reminder; remind me every monday
# to-do and shopping lists
add milk to the shopping list; what is on my to-do list; tick off the first task; make a new list for the party; clear
the list
# notes
take a note; read my notes from yesterday; write down this idea
# email
send an email to my boss; do i have new mail; reply to the last message; forward this mail to peter; who wrote to me;
mark it as read
# contacts and calls
call my grandmother; what is tom's phone number; save this number; text my wife that i am late; who called me; hang up
# social media
post this photo; how many followers do i have; tweet that i am happy; what is trending; comment on her post; who liked
my picture
# news
what are today's headlines; what happened in the world; news about the election; latest on the earthquake; tell me more
about that story; follow the local newspaper
# weather
will it rain tomorrow; do i need an umbrella; how hot is it outside; what is the forecast for the weekend; is it going
to snow; how windy is it
# music
play some jazz; what song is this; next track; put on my playlist; shuffle this album; who sings this; turn up the
volume
# radio, podcasts and audio books
play the latest episode of the podcast; tune in to the classical station; continue my audio book; go back thirty
seconds; read the next chapter
# television and films
what is on tv tonight; recommend a good film; who plays the main part in this movie; record the show; watch the next
episode; which series is worth seeing; where can i stream it
# books
recommend a novel; who wrote this book; is the book available in the library; borrow an ebook; renew my loan
# games
how do i beat the final boss; start a game of chess; what are good strategy games; my console does not connect; open a
quiz game
# sport results
who won the match; when does the team play next; what is the score; who is top of the league; how many goals did he
score
# lights
turn on the light in the kitchen; dim the lamp; make it brighter; change the colour to blue; all lights off
# heating and appliances
it's too cold in here; set the temperature to twenty degrees; start the washing machine; make me a coffee; turn off the
socket; switch on the fan
# cleaning robots
vacuum the living room; start the cleaning robot; send the mop back to its station
# doors, cameras and alarms
lock the front door; who is at the door; show me the garden camera; arm the security system; is a window open
# cooking
how do i cook rice; give me a recipe for lasagne; what can i make with potatoes; how long do eggs boil; what can i use
instead of butter; bake a cake
# food delivery
order a pizza; where is my food; get me sushi delivered; which places deliver; how long until my dinner arrives;
takeaway for two
# restaurants
find a good italian restaurant; reserve a table for two; is the cafe open; which bar is near here; what is on the menu
# groceries
is the supermarket open; how much are tomatoes; order groceries for tomorrow; do you have oat milk
# places and events
what is going on in town this weekend; where can i go with children; is there a concert tonight; which museums are open;
interesting places around me; tickets for the theatre
# public transport
when is the next bus; is my train late; buy a train ticket to york; which platform; how do i get downtown by metro; what
does a day ticket cost
# taxi
call me a taxi; book a ride to the airport; how much is a cab home; where is my driver
# traffic and directions
how is the traffic on the motorway; how long does it take to drive to work; give me directions to the station; is the
road closed; fastest way home; how far is it
# parking and fuel
where can i park; find a petrol station; where can i charge my electric car; how much is diesel
# flights
book a flight to rome; is my flight on time; how much luggage can i take; change my seat; check in online; my plane was
cancelled
# hotels
find a hotel with a pool; book a double room; when is check-in; cancel my reservation; is breakfast included; extend my
stay
# car rental
rent a car for the weekend; is insurance included in the hire; where do i return the van; can a young driver hire a car
# visas and entry
do i need a visa for india; my passport has expired; what may i bring through customs; which vaccinations do i need;
residence permit
# travel tips
what should i see in paris; best time to visit japan; plan a week in italy; is it safe to travel there; what should i
pack
# exchange rates
what is the exchange rate of the dollar; how many yen is one euro; convert fifty pounds to francs; where can i change
cash
# mobile roaming
does my phone work abroad; what does roaming cost; data package for another country; calling home from overseas
# mobile and internet contracts
which tariff has more data; cancel my contract; how long is the notice period; upgrade my plan; move my line to a new
flat; keep my number
# internet trouble
the internet is slow; no connection; wi-fi does not reach the bedroom; the router blinks red; there is an outage; no
reception on my phone
# computers and printers
my laptop does not start; the printer is out of toner; install this program; the screen is black; connect to the vpn;
update the driver
# phones and gadgets
which phone has the best camera; my battery drains fast; the screen is cracked; compare these two tablets; is the watch
waterproof; do you have headphones
# passwords and login
i forgot my password; i cannot log in; my account is locked; reset my pin; turn on two-factor authentication; change my
user name
# account details
change my email address; update my address; delete my account; i have a new surname; update my profile picture
# privacy and data
what do you store about me; delete my data; who can see my information; don't send me advertising; i want a copy of my
records
# scams and fraud
i got a suspicious email; somebody used my card; is this message a scam; report identity theft; i don't recognise this
transaction
# invoices and bills
why is my bill so high; send me the invoice; i was charged twice; when is the payment due; there is a mistake on my
statement; i already paid
# payment methods
can i pay by card; my payment was declined; add a new credit card; pay in instalments; set up a direct debit
# refunds
i want my money back; where is my refund; compensation for the delay; how long does a reimbursement take
# returns and warranty
i want to return these shoes; it arrived damaged; exchange it for a bigger size; it broke after a month; is it still
under warranty; send it for repair
# parcels
where is my package; track my order; it has not arrived; change the delivery address; when will it be delivered; the
courier left it outside
# shopping
is this jacket available in blue; what size should i take; add it to my basket; is there a discount code; is it in
stock; buy it for me
# subscriptions and pricing
cancel my subscription; how much does the premium plan cost; is there a free trial; upgrade to the business plan; offer
for fifty users; can i get a demo
# complaints and people
i want to speak to a human; i want to complain; get me your manager; connect me with an employee; nobody answers me
# opening hours and contact
what are your opening hours; where is your office; what is your phone number; are you open on sunday
# bank accounts
what is my balance; transfer fifty euros to my brother; open a savings account; show my last transactions; order a new
debit card; close my account
# cards
i lost my card; block my credit card; raise the limit; what is my pin; when does my new card come
# loans and mortgages
can i get a loan; interest rate for a mortgage; how much can i borrow; early repayment; monthly instalment for a house
# stocks and investing
what is the price of apple shares; how did the market do; should i buy bitcoin; dividends of my fund; invest a thousand
euros
# taxes
how do i file my tax return; what can i deduct; when is the tax due; value added tax number
# insurance
report a claim; is storm damage covered; what does my policy include; i had an accident with the car; cheaper car
insurance
# pensions
how do i save for retirement; when can i retire; how much pension will i get
# illness and symptoms
i have a headache; what are the symptoms of flu; my back hurts; is this rash dangerous; my child has a fever
# medicines
can i take ibuprofen with alcohol; side effects of this drug; renew my prescription; where is the nearest pharmacy
# doctors and appointments
book an appointment with a doctor; see a dentist; results of my blood test; cancel my appointment at the clinic; which
hospital is open
# fitness and diet
how many calories are in a banana; give me a workout; how can i lose weight; how many steps did i walk; a diet with more
protein
# mental health
i am stressed and cannot sleep; i need to talk to a counsellor; how do i calm down; panic attacks; burnout
# pets
my dog does not eat; how do i train a puppy; what do hamsters eat; vaccinate the cat
# plants and gardens
how do i grow tomatoes; when should i prune roses; my lawn is brown; how often to water this plant
# children
how much sleep does a baby need; games for toddlers; find a babysitter; my son does not do his homework
# home repairs
fix a leaking tap; paint a wall; the toilet is blocked; find a plumber; hang a shelf
# cars
my car makes a strange noise; change a flat tyre; when is the next service; sell my old car; which oil does it take
# housing
find a flat to rent; how much is my house worth; my landlord raised the rent; moving company; the neighbours are loud
# law
i want to sue someone; how do i file for divorce; what are my rights as a tenant; register a trademark; draw up a will
# contracts and documents
review this contract; is this clause valid; sign the agreement; draft a non-disclosure agreement; compliance with data
protection law
# public offices
renew my identity card; register my new address; when is the rubbish collected; apply for child benefit; where do i vote
# crime and emergencies
call the police; there is a fire; my bicycle was stolen; i need an ambulance; report a burglary
# politics
who is the president; what does the party want; new law on taxes; result of the vote
# holidays and leave
how many vacation days are left; request time off; i am ill today; parental leave; public holidays this year
# pay and benefits
when do we get paid; my payslip is wrong; how do i get a raise; company pension; what bonus will i get
# expenses
submit my travel expenses; upload a receipt; daily allowance; when are my costs reimbursed
# hiring and jobs
are there open positions; write my cv; status of my application; prepare for a job interview; post a job advert; hire an
engineer
# onboarding and training
mandatory safety training; who is my mentor; first day at work; book a course
# meetings and offices
book a meeting room; minutes of the meeting; order a new chair; visitor badge; agenda for monday
# marketing
write an advert; plan a campaign for a new drink; ideas for a slogan; which audience should we target; subject line for
our newsletter
# sales and customers
which leads should i call; log this call in the crm; how many deals did we close; prepare a quote; key account
# business figures
revenue per month; how many customers did we lose; show sales by region; forecast for next quarter; profit margin
# accounting
book this receipt; unpaid invoices of customers; close the books; balance sheet; overdue accounts
# purchasing and stock
order more steel; how many units are in the warehouse; which supplier is cheapest; stock is running low
# factories and machines
the machine has stopped; maintenance plan of the pump; torque of this screw; error on the conveyor; change the tool
# energy
my electricity meter reading; solar panels on the roof; how much power did we use; gas price; power cut
# farming
when do i sow wheat; the cow is ill; price of milk; pests in maize
# programming
write a function that sorts a list; fix the bug in this code; what does this error mean; explain recursion; refactor
this class; add unit tests
# web design
centre a div with css; build a landing page; choose fonts and colours; make the site responsive
# databases
write a query that joins two tables; which columns are in the table; create an index; select the top ten rows; migrate
the schema
# servers and releases
deploy the new version; roll back the release; restart the server; why is the service down; cpu usage of the cluster;
read the logs
# version control
merge my branch; revert a commit; review my pull request; resolve the conflict
# security of systems
scan for vulnerabilities; we were hacked; rotate the keys; firewall rule; patch this package
# cloud costs
why is our cloud bill rising; resize the instances; set a budget for the project
# machine learning
train a model on these data; what is overfitting; evaluate the classifier; tune the parameters
# product documentation
how do i export my data; where is this described in the manual; how do i configure the feature; which versions are
supported
# tickets and bug reports
open a ticket; status of my ticket; the app crashes when i start it; report an error; the page shows a blank screen
# arithmetic
what is the square root of 144; fifteen percent of eighty; add 17 and 25; divide 100 by 7; solve this equation for x
# units
how many centimetres are in an inch; convert ten miles to kilometres; how many grams is a cup
# statistics and graphs
draw a chart of these numbers; what is the median; correlation of two columns; average of the list
# physics and chemistry
how far away is the moon; why is the sky blue; explain quantum physics; formula of salt; speed of light
# biology and nature
how do vaccines work; what is photosynthesis; how long do elephants live; which mushrooms are edible
# geography
what is the capital of australia; population of brazil; highest mountain; longest river; which countries border france
# history
when did the second world war end; who was napoleon; fall of the roman empire; who invented the telephone
# people and facts
how old is the king; who is married to her; where was he born; how tall is the actor; who founded the company
# words and meanings
what does this word mean; how do you spell necessary; synonym for happy; where does this word come from; define entropy
# translation
translate this into spanish; how do you say good night in japanese; what does bonjour mean; subtitles in german
# grammar and style
correct my grammar; make this text more formal; shorten this paragraph; is there a comma here; proofread my letter
# summaries
summarise this article; what are the main points; give me the gist in three sentences; extract the key facts
# creative writing
write a poem about autumn; tell a story about a dragon; write a song; invent a character; compose a haiku
# letters and speeches
write a speech for a wedding; write a cover letter; wording for an invitation; congratulate my colleague
# pictures
draw a picture of a cat; design a logo; remove the background of the photo; make the image sharper; generate a portrait
# video and sound
cut this video; convert the file to mp3; write a script for a clip; make a transcript of the recording
# learning and schools
help me with my homework; when is the exam; enrol in a course; how do i learn the guitar; my grades; scholarship for
students
# research
find papers about batteries; literature review on sleep; cite this source; is there a study about it
# religion and astrology
what does my horoscope say; when is easter; a prayer for the sick; what do buddhists believe
# gifts and parties
gift for my mother; ideas for a birthday party; how do i tie a tie; decorations for a wedding; a toast
# beauty and clothes
what should i wear today; remove a wine stain; treatment for acne; which haircut suits me; iron a shirt
# relationships
how do i ask her out; my partner left me; find a date for tonight; we argue all the time; make new friends
# environment
how do i recycle batteries; reduce my carbon footprint; is the water clean; electric or petrol
# charity
donate to the food bank; become a volunteer; help refugees
# memberships and points
how many points do i have; redeem my miles; renew my membership; benefits of the gold card
# bookings of services
book a haircut; appointment with the mechanic; reschedule my booking; which slots are free
"""


def _read(text: str) -> tuple[Subject, ...]:
    blocks = (block.partition("\n") for block in text.strip().removeprefix("# ").split("\n# "))
    return tuple(Subject(title, tuple(" ".join(requests.split()).split("; "))) for title, _, requests in blocks)


SUBJECTS: Final = _read(_TEXT)

CLOSINGS: Final = frozenset({"greetings", "farewell and thanks", "praise"})
"""Titles of the subjects that continue no conversation."""
