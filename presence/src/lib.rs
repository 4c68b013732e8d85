//! The matter itself: presence rules without any socket, clock or database.
