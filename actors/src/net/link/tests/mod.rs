//! Links over real TCP and TLS on 127.0.0.1, and over pipes in memory where time is to stand still.

mod hostile;
mod impostors;
mod life;
mod support;
mod trust;
