//! Members: who sees what, who may change whom, and that a tenant always keeps an owner.

mod access;
mod lists;
mod owners;
mod people;
mod places;
