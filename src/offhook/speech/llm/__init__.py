"""Language models and the receptionist, one provider a file."""
