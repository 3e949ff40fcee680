final class H2ClientSession { init(_ c: ClientConnection) {}; func start() {} }
