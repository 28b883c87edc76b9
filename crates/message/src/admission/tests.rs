//! Admission, case by case.
