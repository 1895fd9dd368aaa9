namespace ClipOod.Clip;

/// <summary>Images as numbers on [0, 1], channel-major: before CLIP's normalisation, where perturbations are added.</summary>
internal static class UnitPixels
{
    /// <summary>Pictures of one size one after the other.</summary>
    /// <exception cref="ArgumentException">A picture has another size.</exception>
    public static float[] Of(IReadOnlyList<RgbImage> images, int size, string parameter)
    {
        ArgumentNullException.ThrowIfNull(images, parameter);
        int area = size * size;
        float[] values = new float[images.Count * 3 * area];
        for (int n = 0; n < images.Count; n++)
        {
            if (images[n].Width != size || images[n].Height != size)
            {
                throw new ArgumentException(
                    $"Image {n} has {images[n].Width} x {images[n].Height} pixels, expected {size} x {size} as the model takes them: apply {nameof(ClipImageProcessor)}.{nameof(ClipImageProcessor.ResizeAndCrop)} first.",
                    parameter);
            }

            byte[] rgb = images[n].Pixels;
            for (int i = 0; i < rgb.Length; i++)
            {
                values[(((n * 3) + (i % 3)) * area) + (i / 3)] = rgb[i] / 255f;
            }
        }

        return values;
    }

    /// <summary>Checks that values are whole images on [0, 1], and gives their number.</summary>
    /// <exception cref="ArgumentException">They are none.</exception>
    public static int Check(ReadOnlySpan<float> values, int size, string parameter)
    {
        int perImage = 3 * size * size;
        if (values.Length == 0 || values.Length % perImage != 0)
        {
            throw new ArgumentException($"Got {values.Length} values, expected images of 3 x {size} x {size} = {perImage} each, and at least one.", parameter);
        }

        int outside = values.IndexOfAnyExceptInRange(0, 1);
        return outside < 0
            ? values.Length / perImage
            : throw new ArgumentException(
                FormattableString.Invariant($"Image {outside / perImage} has the value {values[outside]}, expected 0 to 1: give pixels before CLIP's normalisation."), parameter);
    }

    public static byte ToByte(float value) => (byte)MathF.Round(255 * value);
}
