"""Features that a person switched off do not exist for that person: their pages answer 404."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import abort
from flask_login import current_user

from calmness.services.account import preferences
from calmness.services.account.preferences import Feature

View = TypeVar("View", bound=Callable[..., Any])


def requires_feature(feature: Feature) -> Callable[[View], View]:
    """The view is there only for people who have the feature on. Stands under the access decorator."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if current_user.is_authenticated and not preferences.features_of(current_user.user.id)[feature]:
                abort(404)
            return view(*args, **kwargs)

        guarded.feature = feature  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate
