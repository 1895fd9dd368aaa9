using System.Text.RegularExpressions;

namespace ClipOod.Clip;

/// <summary>Class names as prompts want them, from the names of folders and label files.</summary>
public static partial class ClassNames
{
    /// <summary>The ten classes of CIFAR-10 in the order of their labels.</summary>
    public static IReadOnlyList<string> Cifar10 { get; } =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>The name in words: underscores and hyphens become spaces; case and articles stay as they are.</summary>
    /// <param name="name">A label such as <c>great_white_shark</c>.</param>
    public static string Clean(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return string.Join(' ', name.Split(['_', '-', ' '], StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>
    /// The name of a Caltech-256 folder: number and a trailing <c>-101</c> dropped, then as <see cref="Clean"/>; null for the clutter
    /// class 257, which is no object.
    /// </summary>
    /// <param name="folder">A folder name such as <c>024.butterfly</c> or <c>145.motorbikes-101</c>.</param>
    /// <exception cref="ArgumentException">The name does not begin with three digits and a full stop.</exception>
    public static string? FromCaltech256(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        Match match = CaltechFolder().Match(folder);
        if (!match.Success)
        {
            throw new ArgumentException($"A folder of Caltech-256 is called like '024.butterfly'; got '{folder}'.", nameof(folder));
        }

        return match.Groups["number"].Value == "257" ? null : Clean(match.Groups["name"].Value);
    }

    [GeneratedRegex(@"^(?<number>[0-9]{3})\.(?<name>.+?)(-101)?$")]
    private static partial Regex CaltechFolder();
}
