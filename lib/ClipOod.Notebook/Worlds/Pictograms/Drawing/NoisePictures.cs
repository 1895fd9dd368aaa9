using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>Pictures of nothing: four kinds of noise, the farthest OOD set.</summary>
internal static class NoisePictures
{
    /// <summary>The kinds, in the order of their labels.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["blocks", "clouds", "pepper", "snow"];

    /// <summary>Draws one.</summary>
    /// <param name="kind">Position in <see cref="Kinds"/>.</param>
    /// <param name="seed">Of every choice.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such kind.</exception>
    public static RgbImage Draw(int kind, int seed)
    {
        Random random = new(seed);
        return kind switch
        {
            0 => Lattice(random, cell: random.Next(4, 13), smooth: false),
            1 => Lattice(random, cell: random.Next(8, 25), smooth: true),
            2 => Pepper(random, random.Between(0.1, 0.5)),
            3 => Lattice(random, cell: 1, smooth: false),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, $"Kinds of noise go from 0 to {Kinds.Count - 1}."),
        };
    }

    // Random colours at the corners of a lattice, each cell in one colour or with a smooth transition.
    private static RgbImage Lattice(Random random, int cell, bool smooth)
    {
        const int side = PictogramArtist.Side;
        int corners = (side / cell) + 2;
        byte[] colors = new byte[corners * corners * 3];
        random.NextBytes(colors);
        byte[] pixels = new byte[side * side * 3];
        for (int i = 0; i < pixels.Length; i++)
        {
            (int x, int y, int channel) = (i / 3 % side, i / 3 / side, i % 3);
            double At(int dx, int dy) => colors[(((((y / cell) + dy) * corners) + (x / cell) + dx) * 3) + channel];
            double u = smooth ? x % cell / (double)cell : 0, v = smooth ? y % cell / (double)cell : 0;
            pixels[i] = (byte)Math.Round(
                ((1 - v) * (((1 - u) * At(0, 0)) + (u * At(1, 0)))) + (v * (((1 - u) * At(0, 1)) + (u * At(1, 1)))));
        }

        return new RgbImage(side, side, pixels);
    }

    private static RgbImage Pepper(Random random, double share)
    {
        const int side = PictogramArtist.Side;
        byte[] ground = new byte[3];
        random.NextBytes(ground);
        byte[] pixels = new byte[side * side * 3];
        for (int i = 0; i < side * side; i++)
        {
            bool grain = random.Chance(share);
            byte shade = (byte)(random.Next(2) * 255);
            for (int channel = 0; channel < 3; channel++)
            {
                pixels[(i * 3) + channel] = grain ? shade : ground[channel];
            }
        }

        return new RgbImage(side, side, pixels);
    }
}
