"""The whole main job, by hand: a stranger becomes a student whom the school teaches, invoices, answers and counts.

Three people in three browsers, a visitor in a fourth and a MetaTrader terminal over HTTP, on the house as
``make run`` starts it. Nothing is reloaded where the product says that pages are live.
"""

import io
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pypdf import PdfReader
from sqlalchemy import select, update

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import InvoiceTemplate, Payment
from calmness.models.catalogue import OfferKind
from calmness.models.delivery import Delivery
from calmness.models.training import AdminFormationSession, AdminSessionAttendance
from calmness.services import notifications
from tests import factories
from tests.billing import shop
from tests.chaos.people import FIREFOX, Terminal
from tests.fakes.providers import Providers
from tests.fixtures.browser import with_cookies
from tests.fixtures.live import LiveSite, session_cookies, wait_until
from tests.fixtures.servers import Mailbox
from tests.training import school

pytestmark = [pytest.mark.live, pytest.mark.browser]

Contexts = Callable[..., BrowserContext]
PASSWORD = "quatre mots sans lien entre eux"
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
ROOM = "https://zoom.us/j/12345678901?pwd=secret"


class Story:
    """What the people of one run have in common."""

    def __init__(self, live_site: LiveSite, contexts: Contexts) -> None:
        # As people's browsers name themselves: a headless one counts as a robot.
        self.site, self.contexts = live_site, partial(contexts, user_agent=FIREFOX)
        mark = uuid.uuid4().hex[:8]
        self.mark, self.chat = mark, str(int(mark, 16))
        self.email = f"Camille.{mark}@Example.test"
        self.course, self.signals = f"Lire l’Or {mark}", f"Signaux {mark}"
        with live_site.inside():
            if db.session.scalar(select(InvoiceTemplate.id)) is None:
                shop.identity()
            formation = school.formation(slug=f"or-{mark}", title=self.course)
            shop.signals_offer(
                slug=f"formation-or-{mark}",
                kind=OfferKind.FORMATION,
                name=self.course,
                formation_id=formation.id,
                duration_days=None,
                price_cents=59900,
            )
            shop.signals_offer(slug=f"signaux-{mark}", name=self.signals)
            self.formation_id = formation.id

    def logged_in(self, role: str) -> Page:
        """A browser of a member of the team."""
        with self.site.inside():
            person = getattr(factories, role)(email=f"{uuid.uuid4().hex}@example.test", first_name="Nadia")
            cookies = session_cookies(self.site, person)
        context = self.contexts(viewport={"width": 1440, "height": 900})
        return with_cookies(context, self.site.url, cookies).new_page()

    def student_id(self) -> int:
        """Number of the person who registered."""
        with self.site.inside():
            return db.session.scalars(select(User.id).where(User.email_key == self.email.casefold())).one()


@pytest.fixture
def story(live_site: LiveSite, browser_context: Contexts) -> Story:
    """A school with a course, a subscription and nobody yet."""
    return Story(live_site, browser_context)


def test_the_main_job_from_the_first_page_to_the_figures(story: Story, mailbox: Mailbox, providers: Providers) -> None:
    student = story.contexts(viewport={"width": 1280, "height": 900}).new_page()
    student.set_default_timeout(60_000)
    agent, admin = story.logged_in("agent"), story.logged_in("admin")

    register_and_confirm(story, student, mailbox)
    order(student, story.course, f"VIR {story.mark} A")
    validate(story, agent, story.course)
    receive_the_invoice(story, student, mailbox)
    order(student, story.signals, f"VIR {story.mark} B", known=True)
    validate(story, agent, story.signals)

    link_telegram(story)
    session_id = programme(story, admin)
    join(story, student, session_id)
    see_presence(admin, session_id)
    get_reminded(story, session_id, mailbox, providers)

    synchronise(story, student)
    talk(story, agent)
    publish_and_see(admin, student)
    count(story, admin)
    find_all_of_it_at_home(story, student)


def register_and_confirm(story: Story, student: Page, mailbox: Mailbox) -> None:
    student.goto("/")
    student.get_by_role("link", name="Commencer").first.click()
    student.get_by_label("Prénom").fill("Camille")
    student.get_by_label("Nom", exact=True).fill("O'Brien-Ñandú <b>")
    student.get_by_label("Adresse e-mail").fill(story.email)
    student.get_by_label("Mot de passe").fill(PASSWORD)
    student.get_by_label("J’ai 18 ans ou plus").check()
    student.get_by_label(re.compile("J’accepte les")).check()
    student.get_by_role("button", name="Créer mon compte").click()
    expect(student.get_by_role("heading", name="Un message vient de partir")).to_be_visible()

    wait_until(lambda: mailbox.to(story.email), seconds=30)
    body = mailbox.to(story.email)[0].get_body(("plain",))
    assert body is not None
    link = re.search(r"/verification/\S+", body.get_content())
    assert link is not None
    student.goto(link.group(0))
    student.get_by_role("button", name="Confirmer mon adresse").click()
    expect(student.get_by_text("Votre adresse est confirmée")).to_be_visible()

    student.goto("/connexion")
    student.get_by_label("Adresse e-mail").fill(story.email.lower())
    student.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    student.get_by_role("button", name="Se connecter").click()
    expect(student.get_by_role("heading", name="Bonjour Camille")).to_be_visible()


def order(student: Page, name: str, number: str, *, known: bool = False) -> None:
    """The four steps of the checkout. ``known``: the address was given with the first order."""
    student.goto("/tarifs")
    student.locator(".card, article", has_text=name).get_by_role("button", name="Choisir").last.click()
    if not known:
        student.get_by_label("Adresse", exact=True).fill("12 rue des Lilas")
        student.get_by_label("Code postal").fill("69003")
        student.get_by_label("Ville").fill("Lyon")
    student.get_by_label(re.compile("J’ai lu et j’accepte")).check()
    student.get_by_label(re.compile("Je demande que l’accès commence")).check()
    student.get_by_role("button", name="Continuer").click()
    expect(student.locator(".qr svg")).to_be_visible()
    student.get_by_role("link", name="J’ai fait le virement").click()
    student.get_by_label("Numéro de transaction").fill(number)
    student.get_by_role("button", name="Envoyer le numéro de transaction").click()
    expect(student.get_by_text("Nous vérifions l’arrivée du virement")).to_be_visible()


def validate(story: Story, agent: Page, name: str) -> None:
    """The agent finds the payment in the queue and issues the invoice."""
    agent.goto(f"/admin/paiements?q={story.mark}")
    agent.goto(f"/admin/paiements/{payment_of(story, name)}")
    expect(agent.get_by_label("Numéro de transaction")).to_have_value(re.compile(story.mark, re.I))
    agent.get_by_role("button", name="Valider et émettre la facture").click()
    expect(agent.get_by_text(re.compile(r"facture CT-\d{8}-\d{4} émise"))).to_be_visible()
    # The worker draws it meanwhile and mails it: its link and the news of the mail come by themselves.
    documents = agent.locator("#documents")
    expect(documents.get_by_role("link", name=re.compile("Facture"))).to_be_visible()
    expect(documents).to_contain_text("(parti)", timeout=20_000)


def payment_of(story: Story, name: str) -> int:
    student_id = story.student_id()
    with story.site.inside():
        return db.session.scalars(select(Payment.id).where(Payment.user_id == student_id, Payment.label == name)).one()


def receive_the_invoice(story: Story, student: Page, mailbox: Mailbox) -> None:
    """The worker made the PDF and sent it once; the same bytes are in the space."""

    def letters() -> list[bytes]:
        found = [part for mail in mailbox.to(story.email) for part in mail.iter_attachments()]
        return [bytes(part.get_payload(decode=True)) for part in found]

    wait_until(lambda: letters(), seconds=60)
    (sent,) = letters()
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(sent)).pages)
    assert "O'Brien-Ñandú <b>" in text
    student.goto("/espace/paiements")
    number = re.search(r"CT-\d{8}-\d{4}", student.content())
    assert number is not None
    assert number.group(0) in text
    assert student.request.get(f"/espace/factures/{number.group(0)}.pdf").body() == sent


def link_telegram(story: Story) -> None:
    """As the bot does it after its deep link (``tests/account/test_telegram_link.py`` walks that way)."""
    student_id = story.student_id()
    with story.site.inside():
        school.on_telegram(db.session.get_one(User, student_id), story.chat)


def programme(story: Story, admin: Page) -> int:
    """A weekly series whose first session begins in some eleven minutes: its room is open, a reminder to come.

    The form takes whole minutes, and is sent within half of one also on a busy machine.
    """
    paris = datetime.now(ZoneInfo("Europe/Paris")) + timedelta(minutes=11, seconds=30)
    start = paris.replace(second=0, microsecond=0)
    admin.goto("/admin/programmation")
    admin.get_by_label("Formation", exact=True).select_option(str(story.formation_id))
    admin.get_by_label("Première date").fill(start.strftime("%Y-%m-%d"))
    admin.get_by_label("Heure (Paris)").fill(start.strftime("%H:%M"))
    admin.get_by_label("Nombre de séances").fill("4")
    admin.locator(f"input[name=weekdays][value={WEEKDAYS[start.weekday()]}]").check()
    admin.get_by_label("Jours fériés").select_option(label="Maintenir")
    admin.get_by_label("Lien de la visio").fill(ROOM)
    admin.get_by_label("Formateur").fill("Inès Caron")
    admin.get_by_role("button", name="Programmer").click()
    expect(admin.get_by_text("Programmation enregistrée")).to_be_visible()
    with story.site.inside():
        rows = list(
            db.session.scalars(
                select(AdminFormationSession)
                .where(AdminFormationSession.formation_id == story.formation_id)
                .order_by(AdminFormationSession.start_at)
            )
        )
        wall = [row.start_at.astimezone(ZoneInfo("Europe/Paris")) for row in rows]
        assert [moment.strftime("%H:%M") for moment in wall] == [start.strftime("%H:%M")] * 4
        return rows[0].id


def join(story: Story, student: Page, session_id: int) -> None:
    """By the site's own link; the meeting's address stands on no page."""
    student.goto(f"/espace/seances/{session_id}")
    assert ROOM not in student.content()
    door = student.get_by_role("link", name="Rejoindre").get_attribute("href")
    assert door is not None
    answer = student.request.get(door, max_redirects=0)
    assert (answer.status, answer.headers["location"]) == (302, ROOM)
    student_id = story.student_id()
    with story.site.inside():
        row = db.session.scalars(
            select(AdminSessionAttendance).where(AdminSessionAttendance.session_id == session_id)
        ).one()
        assert row.user_id == student_id
        assert row.first_joined_at is not None


def see_presence(admin: Page, session_id: int) -> None:
    admin.goto(f"/admin/seances/{session_id}")
    expect(admin.get_by_text(re.compile(r"entré à \d"))).to_be_visible()


def get_reminded(story: Story, session_id: int, mailbox: Mailbox, providers: Providers) -> None:
    """Ten minutes before, once by mail and once by Telegram. The rest of that minute is not waited for."""
    student_id = story.student_id()
    with story.site.inside():
        soon = clock.now() + timedelta(minutes=2)
        planned = Delivery.user_id == student_id, Delivery.kind == "training.reminder", Delivery.due_at <= soon
        at_once = update(Delivery).where(*planned).values(due_at=clock.now()).returning(Delivery.id)
        assert len(db.session.scalars(at_once).all()) == 2

    def reminders() -> tuple[int, int]:
        mails = [mail for mail in mailbox.to(story.email) if f"/espace/seances/{session_id}" in str(mail.get_body())]
        chats = [sent for sent in providers.telegram.sent if str(sent["chat_id"]) == story.chat]
        return len(mails), len([chat for chat in chats if story.course in str(chat["text"])])

    wait_until(lambda: reminders() == (1, 1), seconds=30)
    assert ROOM not in str(providers.telegram.sent)


def synchronise(story: Story, student: Page) -> None:
    """The key is shown once; what the terminal sends is seen without a reload."""
    student.goto("/espace/metatrader")
    student.get_by_label("Nom du compte").fill("Compte réel")
    student.get_by_role("button", name="Créer la clé").click()
    # The whole of it: a page is on the screen before the last of it has come.
    key = student.locator("code", has_text=re.compile(r"^ct_ea_\w{8}_\w{32}$")).inner_text()
    expect(student.get_by_text("En attente du premier contact").first).to_be_visible()

    Terminal(story.site, key).sync(12)

    expect(student.get_by_text("Connecté").first).to_be_visible()
    student.goto("/espace/historique")
    expect(student.locator("#trades td", has_text="EURUSD").first).to_be_visible()
    student.goto("/espace/statistiques")
    expect(student.get_by_text("12 gagnants, 0 perdants")).to_be_visible()


def talk(story: Story, agent: Page) -> None:
    """A visitor writes in the widget, the agent answers live, both badges are right."""
    visitor = story.contexts(viewport={"width": 390, "height": 800}).new_page()
    visitor.goto("/tarifs")
    visitor.locator("[data-chat-launcher][role=button]").click()
    visitor.locator("[data-chat-form] textarea").fill(f"Une question {story.mark}")
    visitor.locator("[data-chat-form] textarea").press("Enter")
    expect(visitor.locator(".bubble--mine")).to_contain_text("Envoyé")

    agent.goto("/admin/support")
    line = agent.locator(".inbox-line", has_text=story.mark)
    expect(line.locator("[data-count-shown]")).to_have_text("1")
    line.get_by_role("link").click()
    # What the agent has open is read, and the visitor sees it.
    expect(visitor.locator(".bubble--mine")).to_contain_text("Lu")
    visitor.locator("[data-chat-close]").click()
    agent.locator("[data-chat-form] textarea").fill("Je vous écoute.")
    agent.locator("[data-chat-form] textarea").press("Enter")

    expect(visitor.locator("[data-chat-launcher] [data-count-shown]")).to_have_text("1")
    visitor.locator("[data-chat-launcher][role=button]").click()
    expect(visitor.locator(".bubble:not(.bubble--mine)")).to_contain_text("Je vous écoute.")
    expect(agent.locator(".bubble--mine")).to_contain_text("Lu")


def publish_and_see(admin: Page, student: Page) -> None:
    """A signal appears on the open page of a subscriber."""
    student.goto("/espace/signaux")
    admin.goto("/admin/signaux")
    admin.get_by_label("Instrument").fill("GBPJPY")
    admin.get_by_label("Prix d’entrée").fill("192.10")
    admin.get_by_label("Stop", exact=True).fill("191.60")
    admin.get_by_label("Objectifs").fill("193.10")
    admin.get_by_label("Raisonnement").fill("Retour sur la moyenne du jour.")
    admin.get_by_role("button", name="Publier le signal").click()
    expect(admin.get_by_text("les abonnés sont prévenus")).to_be_visible()
    expect(student.locator("#signaux").get_by_text("GBPJPY").first).to_be_visible()


def count(story: Story, admin: Page) -> None:
    """Views and visits came through the tracker; the funnel knows the business."""
    wait_until(lambda: cards(admin)["Pages vues"] >= 5, seconds=60)
    shown = cards(admin)
    assert len(shown) == 8
    assert shown["Visiteurs"] >= 1
    assert shown["Inscriptions"] >= 1
    for tab in ("trafic", "comportement", "conversions"):
        answer = admin.goto(f"/admin/analytics/{tab}")
        assert answer is not None
        assert answer.ok
    admin.goto("/admin/analytics/comportement")
    expect(admin.get_by_text("/tarifs").first).to_be_visible()


def cards(admin: Page) -> dict[str, float]:
    """The figures of the overview by their names."""
    admin.goto("/admin/analytics?period=today")
    found = {}
    for card in admin.locator(".stat-card").all():
        name = card.locator(".stat-card__head").inner_text().strip()
        digits = re.sub(r"[^\d,]", "", card.locator(".stat-card__value").inner_text()).replace(",", ".")
        found[name] = float(digits or 0)
    return found


def find_all_of_it_at_home(story: Story, student: Page) -> None:
    """The dashboard gathers everything, and the badge is exact."""
    student.goto("/espace")
    for words in (story.course, story.signals, "EURUSD", "GBPJPY"):
        expect(student.locator("#widgets").get_by_text(words).first).to_be_visible()
    student_id = story.student_id()
    with story.site.inside():
        unread = notifications.unread_count(student_id)
    badge = student.locator("[data-count=notifications] [data-count-shown]").first
    expect(badge).to_have_text(str(unread))
