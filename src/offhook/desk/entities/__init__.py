"""What is worth keeping in what people say: numbers, accounts, wallets, addresses, names, amounts."""
