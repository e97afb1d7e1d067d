"""Trained models inside faster programs than torch."""
