using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>The embedded world's drawings and its tiny CLIP: draws, encodes and keeps the features. Not for several threads at once.</summary>
public sealed class PictogramStudio : WorldEncoder
{
    /// <summary>Raise it where the same concepts and seeds come to give other pictures: features kept of the old ones are then not used.</summary>
    private const int DrawingVersion = 1;

    private readonly Lazy<ClipModel> _model;
    private readonly Lazy<ClipNoTextTower?> _noText;
    private readonly FeatureCache _cache;
    private readonly string _cacheRoot;
    private readonly ClipPrecision _precision;

    internal PictogramStudio(PictogramFolder folder, string cacheRoot, ClipPrecision precision = ClipPrecision.Single)
    {
        (Folder, _cacheRoot, _precision) = (folder, cacheRoot, precision);
        Concepts = new Catalog<Concept>("concept", folder.Concepts.Select(concept => (concept.Name, concept)));
        _model = new Lazy<ClipModel>(LoadModel);
        _noText = new Lazy<ClipNoTextTower?>(LoadNoText);
        string key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
            $"{DrawingVersion} {folder.Manifest.WeightsSha256} {folder.ConceptsSha256}{(precision == ClipPrecision.Single ? "" : $" {precision.Name()}")}")))[..12];
        _cache = new FeatureCache(Path.Combine(cacheRoot, $"{PictogramWorld.WorldName}-{key}"));
    }

    /// <summary>Everything that can be drawn, by name.</summary>
    public Catalog<Concept> Concepts { get; }

    /// <summary>The tiny CLIP that was trained on these drawings.</summary>
    public override ClipModel Model => _model.Value;

    /// <summary>Names of the models that were trained on these drawings, sorted; "base" is the world's.</summary>
    public IReadOnlyList<string> Models => Folder.Models;

    /// <summary>How this model was made and what was measured of it.</summary>
    public PictogramManifest Manifest => Folder.Manifest;

    /// <summary>The shipped "no" text tower, which `clipood train no-text` made; null where this model has none.</summary>
    /// <exception cref="InvalidDataException">Its file is not that of its manifest, or was trained for other weights.</exception>
    public override ClipNoTextTower? NoText => _noText.Value;

    /// <inheritdoc/>
    public override string DefaultPrompt => CaptionWriter.Prompt;

    private ClipNoTextTower? LoadNoText()
    {
        string weights = Path.Combine(Folder.ModelFolder, NoTextManifest.WeightsFile);
        if (!File.Exists(weights))
        {
            return null;
        }

        NoTextManifest manifest = NoTextManifest.Load(Path.Combine(Folder.ModelFolder, NoTextManifest.FileName));
        (string Found, string Expected, string What)[] hashes =
        [
            (PictogramManifest.HashFile(weights), manifest.WeightsSha256, weights),
            (Manifest.WeightsSha256, manifest.ModelSha256, "the model that it was trained for"),
        ];
        return hashes.FirstOrDefault(hash => hash.Found != hash.Expected) is { What: string what, Found: var found, Expected: var expected }
            ? throw new InvalidDataException($"{what}: the SHA-256 is {found}, but {NoTextManifest.FileName} says {expected}. Train it again: clipood train no-text.")
            : ClipNoTextTower.Load(Model, weights);
    }

    /// <inheritdoc/>
    public override ClipModel LoadModel()
    {
        ClipModel model = Folder.LoadModel();
        model.Precision = _precision;
        return model;
    }

    internal PictogramStudio WithModel(string model) => new(PictogramFolder.Open(Folder.Path, model), _cacheRoot, _precision);

    /// <summary>Its files.</summary>
    internal PictogramFolder Folder { get; }

    /// <summary>The concepts of a set, sorted by name: the classes of the data set in this role.</summary>
    /// <param name="set">"A", "B", "C", "near" or "textures".</param>
    /// <exception cref="KeyNotFoundException">There is no such set.</exception>
    public IReadOnlyList<Concept> ConceptsOf(string set)
    {
        Concept[] concepts = [.. Concepts.Values.Where(concept => concept.Set == set)];
        return concepts.Length > 0 ? concepts : throw new KeyNotFoundException(
            $"There is no set '{set}' of concepts. Sets: {string.Join(", ", Concepts.Values.Select(concept => concept.Set).Distinct().Order(StringComparer.Ordinal))}.");
    }

    /// <summary>Draws pictures of a concept.</summary>
    /// <param name="concept">One of <see cref="Concepts"/>, or one of your own.</param>
    /// <param name="count">How many.</param>
    /// <param name="purpose">Pictures of different purposes differ; those of one purpose are always the same.</param>
    /// <param name="shift">A shift of the pictures; null for none.</param>
    public static ImageBatch Draw(Concept concept, int count, string purpose = "notebook", Shift? shift = null) =>
        ImageBatch.Of(DrawEach([concept], count, purpose, shift));

    /// <summary>
    /// Pictures of a set and their features, drawn and encoded on first use and then kept: those of one purpose are always the same.
    /// </summary>
    /// <param name="set">"A", "B", "C", "near", "textures" or "noise".</param>
    /// <param name="split">The purpose, such as "test" or one of your own.</param>
    /// <param name="perClass">Pictures of each class.</param>
    /// <param name="shift">A shift of the pictures; null for none.</param>
    public FeatureSet Sample(string set, string split, int perClass, Shift? shift = null)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{set}-{split}-{perClass}{(shift is null ? "" : $"-{shift}")}").Replace(' ', '-');
        bool noise = set == PictogramWorld.NoiseSet;
        string[] classes = noise ? [.. NoisePictures.Kinds] : [.. ConceptsOf(set).Select(concept => concept.Name)];
        // Drawing again takes less time than the disk would take room: the same pictures serve every model.
        Lazy<ImageBatch> pictures = new(() => ImageBatch.Of(noise ? DrawNoise(perClass, split) : DrawEach(ConceptsOf(set), perClass, split, shift)));
        return _cache.GetOrCompute(name, () => Encode(
            PictogramWorld.NameOf(set, classes.Length), split, pictures.Value, LabelsOf(classes.Length, perClass), classes).WithImages(null)).WithImages(pictures);
    }

    private static RgbImage[] DrawEach(IReadOnlyList<Concept> concepts, int perClass, string purpose, Shift? shift)
    {
        int[] labels = LabelsOf(concepts.Count, perClass);
        RgbImage[] pictures = new RgbImage[labels.Length];
        Parallel.For(0, labels.Length, () => new PictogramArtist(), (i, _, artist) =>
        {
            Concept concept = concepts[labels[i]];
            pictures[i] = artist.Draw(concept, PictogramSeed.Of(purpose, concept.Name, i % perClass), shift);
            return artist;
        }, artist => artist.Dispose());
        return pictures;
    }

    private static RgbImage[] DrawNoise(int perClass, string purpose) =>
    [
        .. LabelsOf(NoisePictures.Kinds.Count, perClass)
            .Select((kind, i) => NoisePictures.Draw(kind, PictogramSeed.Of(purpose, NoisePictures.Kinds[kind], i % perClass))),
    ];

    private static int[] LabelsOf(int classes, int perClass) => [.. Enumerable.Range(0, classes * perClass).Select(i => i / perClass)];
}
