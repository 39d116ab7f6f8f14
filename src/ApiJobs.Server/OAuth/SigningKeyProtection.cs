using System.Security.Cryptography;
using System.Text;
using ApiJobs.Server.Settings;
using Microsoft.IdentityModel.Tokens;

namespace ApiJobs.Server.OAuth;

/// <summary>Turns signing keys into what is stored and back, encrypted if a key is configured for that.</summary>
internal sealed class SigningKeyProtection(OAuthSettings settings)
{
    private const int RsaBits = 2048, NonceBytes = 12, TagBytes = 16;

    private readonly byte[]? _key = settings.KeyEncryptionKeyOctets;

    /// <summary>Whether keys are encrypted before they are stored.</summary>
    public bool Encrypts => _key is not null;

    /// <summary>Makes a signing key, ready to be stored.</summary>
    public StoredSigningKey MakeKey(int generation, DateTimeOffset createdAt)
    {
        using var rsa = RSA.Create(RsaBits);
        var kid = Base64UrlEncoder.Encode(new RsaSecurityKey(rsa).ComputeJwkThumbprint());
        var privateKey = rsa.ExportPkcs8PrivateKey();
        return new()
        {
            Generation = generation,
            Kid = kid,
            PrivateKey = _key is null ? privateKey : Encrypt(_key, privateKey, kid),
            IsEncrypted = _key is not null,
            CreatedAt = createdAt,
        };
    }

    /// <summary>Encrypts a key that was stored in clear, for it to be stored again.</summary>
    /// <exception cref="InvalidOperationException">There is no key to encrypt it with.</exception>
    public byte[] Encrypt(StoredSigningKey stored) =>
        Encrypt(_key ?? throw new InvalidOperationException("There is no key encryption key."), stored.PrivateKey, stored.Kid);

    /// <summary>Brings back a stored key.</summary>
    /// <exception cref="SettingsException">It is encrypted, and the configured key is missing or is not the one it was encrypted with.</exception>
    public RsaSecurityKey Open(StoredSigningKey stored)
    {
        var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(stored.IsEncrypted ? Decrypt(stored) : stored.PrivateKey, out _);
        return new(rsa) { KeyId = stored.Kid };
    }

    // Layout: nonce, tag, ciphertext. The key's id is authenticated with it, so rows cannot be swapped.
    private static byte[] Encrypt(byte[] key, byte[] plaintext, string kid)
    {
        var stored = new byte[NonceBytes + TagBytes + plaintext.Length];
        var nonce = stored.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, plaintext, stored.AsSpan(NonceBytes + TagBytes), stored.AsSpan(NonceBytes, TagBytes), Encoding.UTF8.GetBytes(kid));
        return stored;
    }

    private byte[] Decrypt(StoredSigningKey stored)
    {
        if (_key is null)
            throw new SettingsException([$"Signing key '{stored.Kid}' is stored encrypted, but OAuth:KeyEncryptionKey is not set. Set it as on the other nodes."]);
        try
        {
            var plaintext = new byte[stored.PrivateKey.Length - NonceBytes - TagBytes];
            using var aes = new AesGcm(_key, TagBytes);
            aes.Decrypt(
                stored.PrivateKey.AsSpan(0, NonceBytes), stored.PrivateKey.AsSpan(NonceBytes + TagBytes),
                stored.PrivateKey.AsSpan(NonceBytes, TagBytes), plaintext, Encoding.UTF8.GetBytes(stored.Kid));
            return plaintext;
        }
        catch (CryptographicException)
        {
            throw new SettingsException([$"Signing key '{stored.Kid}' was encrypted with another OAuth:KeyEncryptionKey than the one that is set. Set it as on the other nodes."]);
        }
    }
}
