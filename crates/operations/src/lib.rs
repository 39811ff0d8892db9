//! One plain function for each verb a caller can ask for.
