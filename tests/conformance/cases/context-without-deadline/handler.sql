SELECT context('remaining_ms') AS remaining;
