"""What the gateway is: frozen values between the user's configuration and Envoy's resources. Imports neither."""
