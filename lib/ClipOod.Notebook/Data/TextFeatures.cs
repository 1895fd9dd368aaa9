using System.Globalization;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>Unit-norm text features (K, D) of K class names put into one prompt. Immutable.</summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class TextFeatures
{
    /// <summary>Checks and wraps the parts.</summary>
    /// <param name="features">Unit-norm features, shape (K, D).</param>
    /// <param name="classes">K class names, as shown to readers.</param>
    /// <param name="prompt">The sentence that was encoded, with {} for the class name.</param>
    /// <param name="provenance">Where the features come from.</param>
    /// <param name="encodedNames">The K names as they were encoded, where they differ from <paramref name="classes"/>.</param>
    /// <exception cref="ArgumentException">The counts differ, a feature is NaN or infinite, or a row is not unit-norm.</exception>
    public TextFeatures(
        Embeddings features, IReadOnlyList<string> classes, string prompt, string provenance, IReadOnlyList<string>? encodedNames = null)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(classes);
        int names = encodedNames?.Count ?? classes.Count;
        if (classes.Count != features.Rows || names != features.Rows)
        {
            throw new ArgumentException(
                $"Got {features.Rows} rows of text features, {classes.Count} classes and {names} encoded names, expected one of each per class.",
                nameof(classes));
        }

        FeatureSet.CheckUnitNorm(features, "text features", nameof(features));
        Features = features;
        Classes = [.. classes];
        Prompt = prompt;
        Provenance = provenance;
        EncodedNames = [.. encodedNames ?? classes];
    }

    /// <summary>Unit-norm text features, shape (K, D).</summary>
    public Embeddings Features { get; }

    /// <summary>The K class names.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>The sentence that was encoded, with {} for the class name.</summary>
    public string Prompt { get; }

    /// <summary>Where the features come from.</summary>
    public string Provenance { get; }

    /// <summary>
    /// The K names as they were encoded, preceded by the list they were found in where several lists were searched,
    /// such as "LVIS: car_(automobile)" for the class "automobile".
    /// </summary>
    internal IReadOnlyList<string> EncodedNames { get; }

    /// <summary>Number of classes, K.</summary>
    public int Count => Features.Rows;

    /// <summary>The given classes, in the given order.</summary>
    /// <param name="classes">Row numbers, each 0 to K−1.</param>
    public TextFeatures Select(IReadOnlyList<int> classes)
    {
        Embeddings features = Features.Select(classes);
        return new TextFeatures(
            features, [.. classes.Select(k => Classes[k])], Prompt, Provenance, [.. classes.Select(k => EncodedNames[k])]);
    }

    /// <summary>The features in one line of HTML.</summary>
    public string ToHtml() => $"<p>{Html.Escape(ToString())}</p>";

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"Text features of {Count:N0} class names as \"{Prompt}\", {Features.Width} features. {Provenance}");
}
