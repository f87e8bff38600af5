"""The one error table, and the envelopes in which a refusal leaves."""
