using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ApiJobs.Server.Tests.OAuth;

/// <summary>Makes and takes apart tokens by hand, so that what the server accepts is not judged by the library it uses.</summary>
internal static class Jwt
{
    public static string Sign(string header, string payload, RSA key)
    {
        var signed = $"{Encode(header)}.{Encode(payload)}";
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    public static string Hmac(string header, string payload, byte[] key)
    {
        var signed = $"{Encode(header)}.{Encode(payload)}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(signed)))}";
    }

    public static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    public static JsonObject Header(string token) => Part(token, 0);

    public static JsonObject Payload(string token) => Part(token, 1);

    /// <summary>Whether a token's signature fits one of the keys that the server publishes.</summary>
    public static bool IsSignedBy(string token, JsonObject jwks)
    {
        var kid = (string)Header(token)["kid"]!;
        var jwk = jwks["keys"]!.AsArray().SingleOrDefault(key => (string)key!["kid"]! == kid);
        if (jwk is null)
            return false;
        using var key = RSA.Create(new RSAParameters { Modulus = Decode((string)jwk["n"]!), Exponent = Decode((string)jwk["e"]!) });
        var end = token.LastIndexOf('.');
        return key.VerifyData(Encoding.ASCII.GetBytes(token[..end]), Decode(token[(end + 1)..]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    private static JsonObject Part(string token, int index) => JsonNode.Parse(Decode(token.Split('.')[index]))!.AsObject();

    private static byte[] Decode(string text) => Base64Url.DecodeFromChars(text);
}
