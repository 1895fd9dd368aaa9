using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace ClipOod.Clip;

/// <summary>
/// A picture of 8-bit red, green and blue, row by row. A picture of ImageSharp becomes one wherever one is expected, also inside a
/// collection expression: <c>model.EncodeImages([image])</c>.
/// </summary>
public sealed class RgbImage
{
    /// <summary>Takes the pixels as they are, without a copy.</summary>
    /// <param name="width">Width in pixels, at least 1.</param>
    /// <param name="height">Height in pixels, at least 1.</param>
    /// <param name="pixels">Height × width × 3 values (red, green, blue), 0 to 255.</param>
    /// <exception cref="ArgumentException">A side is below 1, or the number of values does not fit the sides.</exception>
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (pixels.LongLength != 3L * width * height)
        {
            throw new ArgumentException(
                $"An image of {width}x{height} has {3L * width * height} values (height x width x 3); got {pixels.Length}.", nameof(pixels));
        }

        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>Height × width × 3 values (red, green, blue), 0 to 255, row by row.</summary>
    public byte[] Pixels { get; }

    /// <summary>A picture of ImageSharp, its pixels copied.</summary>
    /// <param name="image">Its first frame is taken; see ImageSharp's <c>CloneAs&lt;Rgb24&gt;()</c> for other pixels.</param>
    public static implicit operator RgbImage(Image<Rgb24> image)
    {
        ArgumentNullException.ThrowIfNull(image);
        byte[] pixels = new byte[3 * image.Width * image.Height];
        image.CopyPixelDataTo(pixels);
        return new RgbImage(image.Width, image.Height, pixels);
    }
}
