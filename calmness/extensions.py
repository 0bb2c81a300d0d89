"""Extensions, made here and bound in ``create_app``."""

from typing import TYPE_CHECKING

from flask_babel import Babel
from flask_jwt_extended import JWTManager
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_mail import Mail
from flask_migrate import Migrate
from flask_socketio import SocketIO
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from calmness.base import Base
from calmness.network import limit_key
from calmness.work_queue import WorkQueue

db = SQLAlchemy(model_class=Base)

if TYPE_CHECKING:

    class Model(Base):
        """Base of all models, as type checkers see it."""

        __abstract__ = True
else:
    Model = db.Model

migrate = Migrate()
login_manager = LoginManager()
jwt = JWTManager()
socketio = SocketIO()
mail = Mail()
csrf = CSRFProtect()
babel = Babel()
limiter = Limiter(key_func=limit_key)
work_queue = WorkQueue()
