using System.Globalization;
using System.Text.Json;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// Unit-norm image features (N, D) with a class number per row, the classes' names and where they came from. Immutable.
/// </summary>
/// <remarks>
/// As a file: safetensors with <c>image_features</c> (F16 or F32, (N, D)), <c>labels</c> (I32 or I64, (N)), optionally
/// <c>images</c> (U8, (N, H, W, 3)), and the metadata <c>dataset</c>, <c>split</c>, <c>source</c>, <c>note</c>, <c>precision</c> and
/// <c>classes</c>, a JSON list.
/// </remarks>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class FeatureSet
{
    private const string UsualPrecision = "FP32";

    private readonly Lazy<ImageBatch>? _images;

    /// <summary>Checks and wraps the parts.</summary>
    /// <param name="name">The data set, such as "CIFAR-10".</param>
    /// <param name="split">Which part of it, such as "test".</param>
    /// <param name="features">Unit-norm features, shape (N, D).</param>
    /// <param name="labels">N class numbers, each 0 to K−1.</param>
    /// <param name="classes">K class names, as shown to readers; need not be distinct.</param>
    /// <param name="provenance">Where the features come from and how they were made.</param>
    /// <param name="images">The N images, where they are at hand.</param>
    /// <exception cref="ArgumentException">
    /// The numbers of rows differ, a feature is NaN or infinite, a row is not unit-norm (a zero row is not), or a label is out of range.
    /// </exception>
    public FeatureSet(
        string name,
        string split,
        Embeddings features,
        IReadOnlyList<int> labels,
        IReadOnlyList<string> classes,
        string provenance,
        ImageBatch? images = null)
        : this(name, split, features, labels, classes, provenance, images is null ? null : new Lazy<ImageBatch>(images))
    {
        if (images is not null && images.Count != features.Rows)
        {
            throw new ArgumentException(
                $"{name} {split}: got {features.Rows} rows of features and {images.Count} images, expected one of each per image.", nameof(images));
        }
    }

    /// <summary>The same with images that are made when somebody looks at them; as many as there are rows.</summary>
    internal FeatureSet(
        string name,
        string split,
        Embeddings features,
        IReadOnlyList<int> labels,
        IReadOnlyList<string> classes,
        string provenance,
        Lazy<ImageBatch>? images)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(classes);
        Name = name;
        Split = split;
        Features = features;
        Labels = [.. labels];
        Classes = [.. classes];
        Provenance = provenance;
        _images = images;

        string what = $"{name} {split}";
        if (labels.Count != features.Rows)
        {
            throw new ArgumentException(
                $"{what}: got {features.Rows} rows of features, {labels.Count} labels, expected one of each per image.", nameof(labels));
        }

        for (int i = 0; i < labels.Count; i++)
        {
            if ((uint)labels[i] >= (uint)classes.Count)
            {
                throw new ArgumentException(
                    $"{what}: label {labels[i]} of row {i} is out of range, expected 0 to {classes.Count - 1} as there are {classes.Count} classes.",
                    nameof(labels));
            }
        }

        CheckUnitNorm(features, what, nameof(features));
    }

    /// <summary>The data set.</summary>
    public string Name { get; }

    /// <summary>Which part of the data set.</summary>
    public string Split { get; }

    /// <summary>Unit-norm image features, shape (N, D).</summary>
    public Embeddings Features { get; }

    /// <summary>The class number of each row, 0 to K−1.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>The K class names; a class may have no row.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Where the features come from and how they were made.</summary>
    public string Provenance { get; }

    /// <summary>
    /// In what numbers the model computed, such as "FP32" (also where nothing says it) or "INT8" (<see cref="Clip.ClipEncoder.PrecisionName"/>).
    /// Sets of two precisions are not compared.
    /// </summary>
    public string Precision { get; init; } = UsualPrecision;

    /// <summary>The images, where they are at hand; null otherwise.</summary>
    public ImageBatch? Images => _images?.Value;

    /// <summary>Number of rows, N.</summary>
    public int Count => Features.Rows;

    /// <summary>Number of classes, K.</summary>
    public int NumClasses => Classes.Count;

    /// <summary>The name of a row's class.</summary>
    /// <param name="row">0 to N−1.</param>
    public string ClassOf(int row) => Classes[Labels[row]];

    /// <summary>The given rows, in the given order, with the same classes.</summary>
    /// <param name="rows">Row numbers, each 0 to N−1.</param>
    public FeatureSet Select(IReadOnlyList<int> rows)
    {
        Embeddings features = Features.Select(rows);
        return new FeatureSet(Name, Split, features, [.. rows.Select(i => Labels[i])], Classes, Provenance, Pictures(images => images.Select(rows))) { Precision = Precision };
    }

    /// <summary>The same rows under another name for their part of the data set.</summary>
    /// <param name="split">Such as "validation".</param>
    internal FeatureSet WithSplit(string split) => new(Name, split, Features, Labels, Classes, Provenance, _images) { Precision = Precision };

    /// <summary>These rows followed by the rows of another part of the same data set.</summary>
    /// <param name="other">A set with the same classes in the same order.</param>
    /// <exception cref="ArgumentException">The classes, widths or precisions differ.</exception>
    public FeatureSet Append(FeatureSet other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (!Classes.SequenceEqual(other.Classes))
        {
            throw new ArgumentException(
                $"Got {other.Name} with {other.NumClasses} classes, expected the same {NumClasses} classes as {Name} in the same order.",
                nameof(other));
        }

        RequireOnePrecision(this, other);
        Lazy<ImageBatch>? images = other._images is null
            ? null
            : Pictures(ours => ours.Append(other._images.Value));
        return new FeatureSet(
            Name,
            Split == other.Split ? Split : $"{Split} + {other.Split}",
            Features.Append(other.Features),
            [.. Labels, .. other.Labels],
            Classes,
            Provenance == other.Provenance ? Provenance : $"{Provenance} {other.Provenance}",
            images)
        {
            Precision = Precision,
        };
    }

    /// <summary>These rows followed by the rows of another data set, of K + L classes: class k of the other becomes class K + k.</summary>
    /// <param name="other">A set of L classes of any names, with features of the same width.</param>
    /// <exception cref="ArgumentException">The widths differ.</exception>
    public FeatureSet Join(FeatureSet other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Union($"{Name} + {other.Name}", Split == other.Split ? Split : $"{Split} + {other.Split}", [this, other]);
    }

    /// <summary>The rows of several data sets one after another, the classes of each after those of the one before.</summary>
    internal static FeatureSet Union(string name, string split, IReadOnlyList<FeatureSet> sets)
    {
        int offset = 0;
        List<int> labels = [];
        foreach (FeatureSet set in sets)
        {
            RequireOnePrecision(sets[0], set);
            labels.AddRange(set.Labels.Select(label => label + offset));
            offset += set.NumClasses;
        }

        return new FeatureSet(
            name,
            split,
            sets.Skip(1).Aggregate(sets[0].Features, (all, set) => all.Append(set.Features)),
            labels,
            [.. sets.SelectMany(set => set.Classes)],
            string.Join(" ", sets.Select(set => set.Provenance).Distinct()),
            sets.Any(set => set._images is null) ? null : new Lazy<ImageBatch>(() => sets.Skip(1).Aggregate(sets[0].Images!, (all, set) => all.Append(set.Images!))))
        {
            Precision = sets[0].Precision,
        };
    }

    /// <summary>Only the rows of the given classes; class <c>keep[k]</c> becomes class k.</summary>
    /// <param name="keep">Distinct class numbers, each 0 to K−1.</param>
    /// <exception cref="ArgumentException">A number is out of range or occurs twice, or none is given.</exception>
    public FeatureSet WithClasses(IReadOnlyList<int> keep)
    {
        ArgumentNullException.ThrowIfNull(keep);
        int[] newLabel = new int[NumClasses];
        Array.Fill(newLabel, -1);
        for (int k = 0; k < keep.Count; k++)
        {
            if ((uint)keep[k] >= (uint)NumClasses || newLabel[keep[k]] >= 0)
            {
                throw new ArgumentException(
                    $"Got class {keep[k]} at position {k}, expected distinct numbers from 0 to {NumClasses - 1}.", nameof(keep));
            }

            newLabel[keep[k]] = k;
        }

        int[] rows = [.. Enumerable.Range(0, Count).Where(i => newLabel[Labels[i]] >= 0)];
        return new FeatureSet(
            Name,
            Split,
            Features.Select(rows),
            [.. rows.Select(i => newLabel[Labels[i]])],
            [.. keep.Select(k => Classes[k])],
            Provenance,
            Pictures(images => images.Select(rows)))
        {
            Precision = Precision,
        };
    }

    /// <summary>
    /// Only the rows of the other classes, such as an OOD set without the classes that <see cref="ClassOverlap.Find"/> found
    /// among the ID classes. The remaining classes keep their order and are numbered anew.
    /// </summary>
    /// <param name="names">Names of classes to leave out, exactly as in <see cref="Classes"/>.</param>
    /// <exception cref="ArgumentException">A name is not among the classes.</exception>
    internal FeatureSet WithoutClasses(IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        HashSet<string> drop = [.. names];
        string? unknown = drop.Order(StringComparer.Ordinal).FirstOrDefault(name => !Classes.Contains(name));
        if (unknown is not null)
        {
            throw new ArgumentException($"{Name} has no class '{unknown}'. Classes are named as in FeatureSet.Classes.", nameof(names));
        }

        return WithClasses([.. Enumerable.Range(0, NumClasses).Where(k => !drop.Contains(Classes[k]))]);
    }

    /// <summary>
    /// Splits at random, class by class: of the n rows of a class, the first part gets n·fraction, rounded half up, but at least one
    /// row and at most all but one where the class has two or more. Rows keep their order within each part.
    /// </summary>
    /// <param name="fractionFirst">Share of the first part, greater than 0 and less than 1.</param>
    /// <param name="seed">The same seed gives the same split.</param>
    public (FeatureSet First, FeatureSet Second) SplitStratified(double fractionFirst, int seed)
    {
        if (!(fractionFirst > 0 && fractionFirst < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(fractionFirst), fractionFirst, "Expected a share greater than 0 and less than 1.");
        }

        Random random = new(seed);
        List<int> first = [];
        List<int> second = [];
        foreach (IGrouping<int, int> group in Enumerable.Range(0, Count).GroupBy(i => Labels[i]).OrderBy(g => g.Key))
        {
            int[] rows = [.. group];
            random.Shuffle(rows);
            int take = (int)Math.Floor((rows.Length * fractionFirst) + 0.5);
            take = rows.Length < 2 ? take : Math.Clamp(take, 1, rows.Length - 1);
            first.AddRange(rows[..take]);
            second.AddRange(rows[take..]);
        }

        first.Sort();
        second.Sort();
        return (Select(first), Select(second));
    }

    /// <summary>Reads a set from a safetensors file, laid out as the remarks of this class say.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is broken or lacks a part, or its content is invalid; the message names the file.</exception>
    public static FeatureSet Load(string path)
    {
        using SafetensorsFile file = Safetensors.Open(path);
        int[] labels = file["labels"].ToInt32s();
        string name = file.Metadata.GetValueOrDefault("dataset", Path.GetFileNameWithoutExtension(path));
        string[] provenance =
        [
            Path.GetFileName(path),
            .. new[] { "source", "note" }.Select(key => file.Metadata.GetValueOrDefault(key, "")).Where(text => text.Length > 0),
        ];
        try
        {
            return new FeatureSet(
                name,
                file.Metadata.GetValueOrDefault("split", ""),
                ReadEmbeddings(file, "image_features"),
                labels,
                ReadList(file, "classes") ?? Numbered(labels),
                string.Join("; ", provenance) + ".",
                file.Contains("images") ? ReadImages(file["images"]) : null)
            {
                Precision = file.Metadata.GetValueOrDefault("precision", UsualPrecision),
            };
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException($"{path}: {error.Message}", error);
        }
    }

    /// <summary>Writes the set to a safetensors file, features in single precision; see <see cref="Safetensors.Write"/>.</summary>
    /// <param name="path">The file to write or replace; its folder must exist.</param>
    public void Save(string path)
    {
        List<SafetensorsTensor> tensors =
        [
            SafetensorsTensor.FromSingles("image_features", [Features.Rows, Features.Width], Features.Values),
            SafetensorsTensor.FromInt32s("labels", [Count], [.. Labels]),
        ];
        if (Images is ImageBatch images)
        {
            tensors.Add(SafetensorsTensor.FromBytes("images", [images.Count, images.Height, images.Width, 3], images.Pixels));
        }

        Dictionary<string, string> metadata = new()
        {
            ["dataset"] = Name,
            ["split"] = Split,
            ["source"] = Provenance,
            ["classes"] = JsonSerializer.Serialize(Classes),
        };
        if (Precision != UsualPrecision)
        {
            metadata["precision"] = Precision;
        }

        Safetensors.Write(path, tensors, metadata);
    }

    /// <summary>The set in one line of HTML.</summary>
    public string ToHtml() => $"<p>{Html.Escape(ToString())}</p>";

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Name} {Split}: {Count:N0} images, {NumClasses:N0} classes, {Features.Width} features. {Provenance}");

    internal static Embeddings ReadEmbeddings(SafetensorsFile file, string name)
    {
        SafetensorsTensor tensor = file[name];
        return tensor.Shape is [var rows, >= 1 and var width]
            ? new Embeddings(rows, width, tensor.ToSingles())
            : throw new InvalidDataException($"{tensor.Where} has shape [{string.Join(", ", tensor.Shape)}], expected [rows, width].");
    }

    internal static IReadOnlyList<string>? ReadList(SafetensorsFile file, string key)
    {
        try
        {
            return file.Metadata.TryGetValue(key, out string? json) ? JsonSerializer.Deserialize<string[]>(json) : null;
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{file.Path}: metadata '{key}' is not a JSON list of texts: {error.Message}", error);
        }
    }

    internal static void CheckUnitNorm(Embeddings features, string what, string parameter)
    {
        for (int i = 0; i < features.Rows; i++)
        {
            double squares = 0;
            foreach (float value in features[i])
            {
                squares += (double)value * value;
            }

            if (!double.IsFinite(squares))
            {
                throw new ArgumentException($"{what}: row {i} holds NaN or an infinite feature. Compute the features again.", parameter);
            }

            // The room that half-precision storage needs, as in Embeddings.IsUnitNorm.
            if (Math.Abs(Math.Sqrt(squares) - 1) > 2e-3)
            {
                throw new ArgumentException(
                    string.Create(CultureInfo.InvariantCulture, $"{what}: row {i} has norm {Math.Sqrt(squares):G6}, expected 1. Use Embeddings.Normalized()."),
                    parameter);
            }
        }
    }

    /// <summary>The same rows with other images, or none.</summary>
    internal FeatureSet WithImages(Lazy<ImageBatch>? images) => new(Name, Split, Features, Labels, Classes, Provenance, images) { Precision = Precision };

    /// <summary>Refuses sets that cannot be compared: the same images have other features in another precision.</summary>
    /// <exception cref="ArgumentException">The precisions differ.</exception>
    internal static void RequireOnePrecision(FeatureSet one, FeatureSet other)
    {
        if (one.Precision != other.Precision)
        {
            throw new ArgumentException(
                $"{other.Name} {other.Split} was encoded in {other.Precision}, {one.Name} {one.Split} in {one.Precision}: features of two precisions do not compare. Encode one of them anew.");
        }
    }

    // Made of the images when somebody looks at the result.
    private Lazy<ImageBatch>? Pictures(Func<ImageBatch, ImageBatch> of) => _images is null ? null : new Lazy<ImageBatch>(() => of(_images.Value));

    private static ImageBatch ReadImages(SafetensorsTensor tensor) =>
        tensor.Shape is [var count, var height, var width, 3]
            ? new ImageBatch(count, height, width, tensor.ToBytes())
            : throw new InvalidDataException($"{tensor.Where} has shape [{string.Join(", ", tensor.Shape)}], expected [count, height, width, 3].");

    /// <summary>Stand-ins for class names that a file does not state; capped, as a broken label may be any number.</summary>
    private static string[] Numbered(int[] labels)
    {
        const int MostClasses = 100_000;
        int count = labels.Where(label => label < MostClasses).DefaultIfEmpty(-1).Max() + 1;
        return [.. Enumerable.Range(0, Math.Max(0, count)).Select(k => $"class {k}")];
    }
}
