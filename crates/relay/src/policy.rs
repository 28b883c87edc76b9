//! What one SMTP user may do: from whom, to whom, in which From.
