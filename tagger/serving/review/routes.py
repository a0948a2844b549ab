"""Pages of reviewing and learning."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
