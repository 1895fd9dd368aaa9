namespace ClipOod.Notebook;

/// <summary>Whether a file holds an image that can be read, by its first bytes.</summary>
internal static class ImageContent
{
    /// <summary>The formats that can be read, for messages.</summary>
    public const string Formats = "JPEG, PNG, WebP, GIF, BMP, TIFF, TGA, PBM, PGM or PPM files";

    private const int HeadLength = 32;

    private static readonly string[] _endings =
    [
        ".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif",
        ".tiff", ".webp",
    ];

    /// <summary>Why a file is not used; null where it holds an image that can be read, as far as its first bytes tell.</summary>
    /// <param name="path">The file.</param>
    public static string? WhyNot(string path)
    {
        byte[] head;
        try
        {
            // Nothing is read of what has no length: a pipe would never answer.
            if (new FileInfo(path).Length == 0)
            {
                return "empty";
            }

            using FileStream file = File.OpenRead(path);
            head = new byte[HeadLength];
            head = head[..file.ReadAtLeast(head, HeadLength, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "a file that cannot be read";
        }

        string ending = Path.GetExtension(path).ToLowerInvariant();
        return Brand(head) switch
        {
            "avif" or "avis" => "AVIF, which is not read here: save it as JPEG",
            "heic" or "heix" or "heim" or "heis" or "hevc" or "hevx" or "mif1" or "msf1" =>
                "HEIC, as phones write it, which is not read here: save it as JPEG (on an iPhone Settings, Camera, Formats, Most Compatible; or heif-convert a.heic a.jpg)",
            _ when IsImage(head) || ending == ".tga" => null,
            _ when _endings.Contains(ending) => "broken: named as an image, but its content is none",
            _ => "no image",
        };
    }

    private static string? Brand(byte[] head) =>
        head.Length >= 12 && head.AsSpan(4, 4).SequenceEqual("ftyp"u8) ? System.Text.Encoding.Latin1.GetString(head, 8, 4) : null;

    private static bool IsImage(ReadOnlySpan<byte> head) =>
        head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])
        || head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G'])
        || head.StartsWith("GIF8"u8)
        || (head.StartsWith("BM"u8) && head.Length > 14 && head[6..10].IndexOfAnyExcept((byte)0) < 0)
        || head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8)
        || (head.StartsWith("RIFF"u8) && head.Length >= 12 && head[8..12].SequenceEqual("WEBP"u8))
        || (head.Length >= 4 && head[0] == 'P' && head[1] is >= (byte)'1' and <= (byte)'6' && head[2] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'
            && (head[3] == '#' || char.IsAsciiDigit((char)head[3])));
}
