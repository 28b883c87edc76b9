//! The decisions of one session: who logs in, what is taken, and what is noted of each refusal.
