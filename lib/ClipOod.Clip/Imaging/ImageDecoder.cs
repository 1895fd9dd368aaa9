using System.Buffers;
using System.Text;
using SkiaSharp;

namespace ClipOod.Clip;

/// <summary>
/// Decodes JPEG, PNG, WebP, GIF (first frame) and BMP files to RGB, giving the pixels that Pillow's
/// <c>Image.open(path).convert("RGB")</c> gives: grey is repeated in the three channels, alpha is dropped rather than blended,
/// a palette is looked up, CMYK is taken as Adobe's inverted CMYK, colour profiles are not applied, and the EXIF orientation is
/// not applied, because CLIP's own preprocessing does none of these. TIFF (first page), TGA, PBM, PGM and PPM files are decoded too,
/// though not compared with Pillow. Of 16-bit channels the high byte is kept. The content tells the format, whatever the file's ending.
/// </summary>
/// <remarks>
/// SkiaSharp decodes the first five, ImageSharp TIFF and TGA; its JPEG decoder differs from Pillow's, which CLIP was trained with. A file
/// is untrusted: its pixels are limited before any is decoded, memory by the pixels (about 20 bytes each), and time by Skia's limit of
/// 100 scans a JPEG and by 30 seconds for the other formats.
/// </remarks>
public static class ImageDecoder
{
    /// <summary>The number of pixels above which an image is refused unless the caller says otherwise: 89,478,485, where Pillow warns.</summary>
    public const int DefaultMaxPixels = 1024 * 1024 * 1024 / 4 / 3;

    private static readonly SKEncodedImageFormat[] _formats =
        [SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Png, SKEncodedImageFormat.Webp, SKEncodedImageFormat.Gif, SKEncodedImageFormat.Bmp];

    /// <summary>Decodes a file.</summary>
    /// <param name="path">The image file.</param>
    /// <param name="maxPixels">The largest width × height to decode; it is checked before any pixel is decoded.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is empty, truncated, corrupt, too large or of another format; the message names it.</exception>
    public static RgbImage Decode(string path, int maxPixels = DefaultMaxPixels)
    {
        using RgbaPixels pixels = DecodeRgba(path, maxPixels);
        return pixels.ToRgb();
    }

    /// <summary>Decodes the bytes of a file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What to call the image in error messages.</param>
    /// <param name="maxPixels">The largest width × height to decode; it is checked before any pixel is decoded.</param>
    /// <exception cref="InvalidDataException">The data is empty, truncated, corrupt, too large or of another format; the message names it.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> file, string name, int maxPixels = DefaultMaxPixels)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        using SKData data = SKData.CreateCopy(file);
        using RgbaPixels pixels = DecodeRgba(data, name, maxPixels);
        return pixels.ToRgb();
    }

    /// <summary>Decodes into a rented buffer, for callers that resize at once.</summary>
    internal static RgbaPixels DecodeRgba(string path, int maxPixels = DefaultMaxPixels)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no image file '{path}'.", path);
        }

        using SKData data = SKData.CreateCopy(File.ReadAllBytes(path));
        return DecodeRgba(data, path, maxPixels);
    }

    private static unsafe RgbaPixels DecodeRgba(SKData data, string name, int maxPixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPixels, Array.MaxLength / 4);
        using SKCodec? codec = SKCodec.Create(data);
        if (codec is null || Array.IndexOf(_formats, codec.EncodedFormat) < 0)
        {
            return (codec is null ? RareFormats.TryDecode(data.AsSpan(), name, maxPixels, RareFormats.TimeLimit) : null)
                ?? throw new InvalidDataException(
                    $"'{name}' is not an image that can be decoded: got {Got(codec, data.AsSpan())}, expected a whole JPEG, PNG, WebP, GIF, BMP, TIFF, TGA, PBM, PGM or PPM file. Save it as one of these, or remove it.");
        }

        int width = codec.Info.Width;
        int height = codec.Info.Height;
        RequireFewPixels(name, width, height, maxPixels);

        // Unpremultiplied, or the colours under a low alpha would be rounded away; no colour space, or Skia would convert to it.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var pixels = new RgbaPixels(width, height);
        try
        {
            fixed (byte* destination = pixels.Bytes)
            {
                SKCodecResult result = codec.GetPixels(info, (IntPtr)destination);
                if (result != SKCodecResult.Success)
                {
                    string what = result == SKCodecResult.IncompleteInput ? "is truncated" : $"is corrupt ({result})";
                    throw new InvalidDataException(
                        $"'{name}' {what}: it says {codec.EncodedFormat} of {width}x{height} pixels, but {data.Size} bytes do not decode to them. Fetch it again or remove it.");
                }
            }

            if (codec.EncodedFormat == SKEncodedImageFormat.Gif && codec.Info.AlphaType != SKAlphaType.Opaque)
            {
                FillTransparent(pixels.Bytes, GifPalette.TransparentColor(data.AsSpan()));
            }

            return pixels;
        }
        catch
        {
            pixels.Dispose();
            throw;
        }
    }

    /// <summary>Skia gives transparent GIF pixels as 0, Pillow as their palette colour.</summary>
    private static void FillTransparent(Span<byte> rgba, (byte Red, byte Green, byte Blue) color)
    {
        for (int i = 0; i < rgba.Length; i += 4)
        {
            if (rgba[i + 3] == 0)
            {
                (rgba[i], rgba[i + 1], rgba[i + 2]) = color;
            }
        }
    }

    internal static void RequireFewPixels(string name, int width, int height, int maxPixels)
    {
        if ((long)width * height > maxPixels)
        {
            throw new InvalidDataException(
                $"'{name}' has {width}x{height} = {(long)width * height} pixels, more than the limit of {maxPixels}. Shrink the image or raise {nameof(maxPixels)}.");
        }
    }

    /// <summary>What a file is instead. HEIC and AVIF are boxes that name their brand after "ftyp" (ISO/IEC 14496-12, 23008-12).</summary>
    private static string Got(SKCodec? codec, ReadOnlySpan<byte> file)
    {
        string brand = file.Length >= 12 && file[4..8].SequenceEqual("ftyp"u8) ? Encoding.Latin1.GetString(file[8..12]) : "";
        return brand switch
        {
            "heic" or "heix" or "heim" or "heis" or "hevc" or "hevx" or "mif1" or "msf1" => "a HEIC picture, as phones take them",
            "avif" or "avis" => "an AVIF picture",
            _ when codec is not null => $"a file of the format {codec.EncodedFormat}",
            _ when file.IsEmpty => "nothing",
            _ => $"{file.Length} bytes that begin with {Convert.ToHexString(file[..Math.Min(8, file.Length)])}",
        };
    }
}

/// <summary>A decoded picture, 4 bytes a pixel, in an array of the shared pool. Dispose of it once.</summary>
internal sealed class RgbaPixels(int width, int height) : IDisposable
{
    private readonly byte[] _rented = ArrayPool<byte>.Shared.Rent(4 * width * height);

    public int Width => width;

    public int Height => height;

    /// <summary>Height × width × 4 values.</summary>
    public Span<byte> Bytes => _rented.AsSpan(0, 4 * width * height);

    public RgbImage ToRgb()
    {
        var rgb = new byte[3 * width * height];
        DropFourth(Bytes, rgb);
        return new RgbImage(width, height, rgb);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_rented);

    internal static void DropFourth(ReadOnlySpan<byte> fours, Span<byte> threes)
    {
        for (int from = 0, to = 0; from < fours.Length; from += 4, to += 3)
        {
            threes[to] = fours[from];
            threes[to + 1] = fours[from + 1];
            threes[to + 2] = fours[from + 2];
        }
    }
}
