using System.Text.RegularExpressions;

namespace ClipOod.Clip;

/// <summary>Class names as prompts want them, from the names of folders and label files.</summary>
public static partial class ClassNames
{
    /// <summary>The ten classes of CIFAR-10 in the order of their labels.</summary>
    public static IReadOnlyList<string> Cifar10 { get; } =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>
    /// The name in words: without Caltech-256's number ("001.ak47" → "ak47") and mark of Caltech-101 ("brain-101" → "brain"), with spaces
    /// for underscores and hyphens ("great_white_shark" → "great white shark"). Case and articles stay as they are.
    /// </summary>
    /// <param name="name">The name of a label, class or folder.</param>
    public static string Clean(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return string.Join(' ', CaltechMarks().Replace(name, "").Split(['_', '-', ' '], StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>
    /// The name of a Caltech-256 folder as <see cref="Clean"/> gives it; null for the clutter class 257, which is no object.
    /// </summary>
    /// <param name="folder">A folder name such as <c>024.butterfly</c> or <c>145.motorbikes-101</c>.</param>
    /// <exception cref="ArgumentException">The name does not begin with three digits and a full stop.</exception>
    public static string? FromCaltech256(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (!CaltechFolder().IsMatch(folder))
        {
            throw new ArgumentException($"A folder of Caltech-256 is called like '024.butterfly'; got '{folder}'.", nameof(folder));
        }

        return folder.StartsWith("257.", StringComparison.Ordinal) ? null : Clean(folder);
    }

    [GeneratedRegex(@"^[0-9]{3}\.|-101$")]
    private static partial Regex CaltechMarks();

    [GeneratedRegex(@"^[0-9]{3}\..")]
    private static partial Regex CaltechFolder();
}
