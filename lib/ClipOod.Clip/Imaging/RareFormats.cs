using System.Diagnostics;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Tga;
using SixLabors.ImageSharp.Formats.Tiff;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.PixelFormats;

namespace ClipOod.Clip;

/// <summary>
/// The formats that Skia does not know, decoded by ImageSharp 2.1.13: TIFF (first page; no tiles, no BigTIFF) and TGA, of 8 or 16 bits
/// a channel. Netpbm files are read by <see cref="Netpbm"/>, because ImageSharp takes 16-bit values for little-endian, multiplies by a
/// rounded 255 / largest value, and reads "101" in a P1 file as one number.
/// </summary>
internal static class RareFormats
{
    private const int BytesPerPixel = 6;

    /// <summary>The longest time that one picture may take, looked at whenever ImageSharp reads.</summary>
    public static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(30);

    /// <summary>Decodes a file of one of these formats; null where its content is of none of them.</summary>
    /// <exception cref="InvalidDataException">It is truncated, corrupt, too large or takes too long.</exception>
    public static RgbaPixels? TryDecode(ReadOnlySpan<byte> file, string name, int maxPixels, TimeSpan timeLimit)
    {
        if (Netpbm.TryDecode(file, name, maxPixels) is { } netpbm)
        {
            return netpbm;
        }

        using WatchedStream stream = new(file.ToArray(), timeLimit);
        Configuration configuration = Limited(maxPixels);
        (IImageInfo info, IImageFormat format) = Guarded(name, timeLimit, () => (Image.Identify(configuration, stream, out IImageFormat format), format));
        if (info is null)
        {
            return null;
        }

        ImageDecoder.RequireFewPixels(name, info.Width, info.Height, maxPixels);
        stream.Position = 0;
        using Image<Rgb48> image = Guarded(name, timeLimit, () => Image.Load<Rgb48>(configuration, stream));
        return stream.WasShort
            ? throw new InvalidDataException(
                $"'{name}' is truncated: it says {format.Name} of {image.Width}x{image.Height} pixels, but ends before them after {file.Length} bytes. Fetch it again or remove it.")
            : HighBytes(image);
    }

    /// <summary>On crafted files ImageSharp also throws DivideByZeroException, ArgumentException and others.</summary>
    private static T Guarded<T>(string name, TimeSpan timeLimit, Func<T> decode)
    {
        try
        {
            return decode();
        }
        catch (TimeoutException error)
        {
            throw new InvalidDataException($"'{name}' took longer than {timeLimit.TotalSeconds} s to decode and was given up: shrink it or remove it.", error);
        }
        catch (Exception error)
        {
            throw new InvalidDataException(
                $"'{name}' is corrupt or of a kind that ImageSharp does not decode ({error.Message.ReplaceLineEndings(" ")}). Save it as PNG, or remove it.", error);
        }
    }

    /// <summary>These formats only, the first page only, and no buffer larger than an image of so many pixels.</summary>
    private static Configuration Limited(int maxPixels)
    {
        Configuration configuration = new(new TiffConfigurationModule(), new TgaConfigurationModule())
        {
            MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions
            {
                MaximumPoolSizeMegabytes = 0,
                AllocationLimitMegabytes = 1 + (int)((long)BytesPerPixel * maxPixels >> 20),
            }),
            // Reads nothing ahead, so that a read past the end is one that the pixels needed.
            StreamProcessingBufferSize = 1,
        };
        configuration.ImageFormatsManager.SetDecoder(TiffFormat.Instance, new TiffDecoder { DecodingMode = FrameDecodingMode.First, IgnoreMetadata = true });
        return configuration;
    }

    private static RgbaPixels HighBytes(Image<Rgb48> image)
    {
        RgbaPixels pixels = new(image.Width, image.Height);
        image.ProcessPixelRows(rows =>
        {
            Span<byte> bytes = pixels.Bytes;
            for (int y = 0, at = 0; y < rows.Height; y++)
            {
                foreach (Rgb48 pixel in rows.GetRowSpan(y))
                {
                    (bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]) = ((byte)(pixel.R >> 8), (byte)(pixel.G >> 8), (byte)(pixel.B >> 8), byte.MaxValue);
                    at += 4;
                }
            }
        });
        return pixels;
    }

    /// <summary>
    /// A file in memory that looks at the clock, and notes whether more was read than it has: ImageSharp makes black pixels of that in
    /// silence.
    /// </summary>
    private sealed class WatchedStream(byte[] file, TimeSpan timeLimit) : MemoryStream(file)
    {
        private readonly long _start = Stopwatch.GetTimestamp();

        public bool WasShort { get; private set; }

        // A MemoryStream's other ways to read call these two where one of them is overridden.
        public override int Read(byte[] buffer, int offset, int count)
        {
            Watch(count);
            return base.Read(buffer, offset, count);
        }

        public override int ReadByte()
        {
            Watch(1);
            return base.ReadByte();
        }

        private void Watch(int count)
        {
            WasShort |= Position + count > Length;
            if (Stopwatch.GetElapsedTime(_start) >= timeLimit)
            {
                throw new TimeoutException();
            }
        }
    }
}
