using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>Effects on pixels that a canvas does not have.</summary>
internal static class PixelEffects
{
    // Drawing normal numbers anew would cost more than drawing the picture; one table with a random start and step serves all.
    private const int NormalCount = 1 << 15;
    private static readonly float[] _normal = MakeNormal();

    /// <summary>Blurs, changes the contrast around the middle grey, adds noise and rounds.</summary>
    public static RgbImage Apply(float[] rgb, int side, double blur, double contrast, double noise, Random random)
    {
        if (blur > 0)
        {
            Blur(rgb, side, blur);
        }

        byte[] pixels = new byte[rgb.Length];
        (int at, int step) = (random.Next(NormalCount), 1 + (2 * random.Next(NormalCount / 2)));
        for (int i = 0; i < rgb.Length; i++)
        {
            double value = 128 + ((rgb[i] - 128) * contrast);
            if (noise > 0)
            {
                value += noise * _normal[at];
                at = (at + step) & (NormalCount - 1);
            }

            pixels[i] = (byte)Math.Clamp(Math.Round(value), 0, 255);
        }

        return new RgbImage(side, side, pixels);
    }

    private static void Blur(float[] rgb, int side, double sigma)
    {
        int radius = (int)Math.Ceiling(2.5 * sigma);
        float[] kernel = [.. Enumerable.Range(-radius, (2 * radius) + 1).Select(k => (float)Math.Exp(-k * k / (2 * sigma * sigma)))];
        float sum = kernel.Sum();
        float[] lines = new float[rgb.Length];
        Pass(rgb, lines, side, kernel, sum, alongRow: true);
        Pass(lines, rgb, side, kernel, sum, alongRow: false);
    }

    private static void Pass(float[] from, float[] to, int side, float[] kernel, float sum, bool alongRow)
    {
        int radius = kernel.Length / 2;
        int step = alongRow ? 3 : 3 * side;
        for (int i = 0; i < to.Length; i++)
        {
            int along = alongRow ? i / 3 % side : i / 3 / side;
            float value = 0;
            for (int k = -radius; k <= radius; k++)
            {
                value += kernel[k + radius] * from[i + ((Math.Clamp(along + k, 0, side - 1) - along) * step)];
            }

            to[i] = value / sum;
        }
    }

    private static float[] MakeNormal()
    {
        Random random = new(0);
        return [.. Enumerable.Range(0, NormalCount).Select(_ =>
            (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
