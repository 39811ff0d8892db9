#!/bin/sh
# Checks licences, bans and sources of the dependencies, and known vulnerabilities where the advisory database can be had.
set -eu

if ! command -v cargo-deny >/dev/null 2>&1 && [ ! -x "$HOME/.cargo/bin/cargo-deny" ]; then
    echo "installing cargo-deny (once; takes some minutes)"
    cargo install --quiet --locked cargo-deny
fi
PATH=$PATH:$HOME/.cargo/bin

cargo deny --log-level error check bans licenses sources

# The database lives in a git repository, which not every network reaches. What it finds is a failure; that it cannot be
# fetched is said and is none.
if cargo deny --log-level error fetch db >/dev/null 2>&1; then
    cargo deny --log-level error check advisories
else
    echo "advisories NOT checked: the advisory database cannot be reached from here"
fi
