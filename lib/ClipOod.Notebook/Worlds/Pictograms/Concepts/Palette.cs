using SkiaSharp;

namespace ClipOod.Notebook;

/// <summary>The colours that captions can name.</summary>
internal static class Palette
{
    private static readonly SortedDictionary<string, SKColor> _colors = new(StringComparer.Ordinal)
    {
        ["black"] = new(30, 30, 34),
        ["blue"] = new(48, 92, 210),
        ["brown"] = new(130, 84, 46),
        ["gray"] = new(134, 138, 142),
        ["green"] = new(60, 152, 70),
        ["orange"] = new(240, 140, 40),
        ["pink"] = new(242, 150, 186),
        ["purple"] = new(132, 70, 170),
        ["red"] = new(214, 50, 46),
        ["white"] = new(244, 244, 240),
        ["yellow"] = new(240, 210, 60),
    };

    /// <summary>The names, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. _colors.Keys];

    /// <summary>Whether there is a colour of this name.</summary>
    /// <param name="name">Lower case.</param>
    public static bool Contains(string name) => _colors.ContainsKey(name);

    internal static SKColor Color(string name) => _colors[name];

    /// <summary>The colour, a little lighter, darker or off.</summary>
    internal static SKColor Near(string name, Random random)
    {
        SKColor color = _colors[name];
        double light = random.Between(-24, 24);
        byte Channel(byte value) => (byte)Math.Clamp(value + light + random.Between(-12, 12), 0, 255);
        return new SKColor(Channel(color.Red), Channel(color.Green), Channel(color.Blue));
    }
}
