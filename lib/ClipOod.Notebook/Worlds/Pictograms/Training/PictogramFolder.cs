using System.Security.Cryptography;
using System.Text;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>
/// The folder of the embedded world: <c>concepts/</c> with the drawings, and <c>models/NAME/</c> with weights, vocabulary and manifest of
/// each trained model.
/// </summary>
internal sealed class PictogramFolder
{
    /// <summary>The model of the world; the others are for comparing.</summary>
    public const string DefaultModel = "base";

    /// <summary>File name of the weights.</summary>
    public const string WeightsFile = "model.safetensors";

    /// <summary>File name of the vocabulary's merges, by which <see cref="ClipTokenizer.Load"/> finds it.</summary>
    public const string VocabularyFile = "bpe_simple_vocab_pictograms.txt";

    private PictogramFolder(string path, string model, IReadOnlyList<Concept> concepts, PictogramManifest manifest)
    {
        (Path, ModelName, Concepts, Manifest) = (path, model, concepts, manifest);
        ConceptsSha256 = HashConcepts(path);
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Name of the model.</summary>
    public string ModelName { get; }

    /// <summary>All concepts, sorted by name.</summary>
    public IReadOnlyList<Concept> Concepts { get; }

    /// <summary>Where the model comes from.</summary>
    public PictogramManifest Manifest { get; }

    /// <summary>SHA-256 over the concept files as they are now.</summary>
    public string ConceptsSha256 { get; }

    /// <summary>A sentence where the concept files are others than those the model was trained on; otherwise nothing.</summary>
    public string ConceptsNote => ConceptsSha256 == Manifest.ConceptsSha256
        ? ""
        : " The concept files were changed since the model was trained: new pictures are encoded, but the model has not learned them.";

    /// <summary>The folder of a model.</summary>
    public string ModelFolder => FolderOf(Path, ModelName);

    /// <summary>The names of the models in the folder, sorted.</summary>
    public IReadOnlyList<string> Models => [.. Directory.EnumerateFiles(System.IO.Path.Combine(Path, "models"), PictogramManifest.FileName, SearchOption.AllDirectories)
        .Select(file => System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(file)!))
        .Order(StringComparer.Ordinal)];

    /// <summary>Opens the folder with one of its models.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="model">Name of the model.</param>
    /// <exception cref="InvalidDataException">A concept file is broken, a file is missing, or the weights are not those of the manifest.</exception>
    public static PictogramFolder Open(string path, string model = DefaultModel)
    {
        IReadOnlyList<Concept> concepts = ConceptFile.LoadFolder(System.IO.Path.Combine(path, "concepts"));
        string folder = FolderOf(path, model);
        string[] files = [WeightsFile, VocabularyFile, PictogramManifest.FileName];
        if (files.FirstOrDefault(file => !File.Exists(System.IO.Path.Combine(folder, file))) is string missing)
        {
            throw new InvalidDataException($"{folder} lacks {missing}, expected {string.Join(", ", files)}. Get the files anew, or train the model: clipood train pictograms --model {model}.");
        }

        PictogramManifest manifest = PictogramManifest.Load(System.IO.Path.Combine(folder, PictogramManifest.FileName));
        Check(System.IO.Path.Combine(folder, WeightsFile), manifest.WeightsSha256);
        Check(System.IO.Path.Combine(folder, VocabularyFile), manifest.VocabularySha256);
        return new PictogramFolder(path, model, concepts, manifest);
    }

    /// <summary>Loads the model with its tokenizer.</summary>
    public ClipModel LoadModel() => ClipModel.Load(
        System.IO.Path.Combine(ModelFolder, WeightsFile), tokenizer: ClipTokenizer.FromMergesFile(
            System.IO.Path.Combine(ModelFolder, VocabularyFile), Manifest.VocabularySize));

    /// <summary>The folder of a model of a folder of pictograms.</summary>
    /// <param name="path">The folder of pictograms.</param>
    /// <param name="model">Name of the model.</param>
    public static string FolderOf(string path, string model) => System.IO.Path.Combine(path, "models", model);

    /// <summary>SHA-256 over the concept files, in the order of their names, whichever line endings they have.</summary>
    /// <param name="path">The folder of pictograms.</param>
    public static string HashConcepts(string path)
    {
        StringBuilder texts = new();
        foreach (string file in Directory.EnumerateFiles(System.IO.Path.Combine(path, "concepts"), "*.json").Order(StringComparer.Ordinal))
        {
            texts.Append(File.ReadAllText(file).ReplaceLineEndings("\n"));
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(texts.ToString())));
    }

    private static void Check(string path, string expected)
    {
        string found = PictogramManifest.HashFile(path);
        if (found != expected)
        {
            throw new InvalidDataException(
                $"{path} is not the file that the manifest beside it speaks of: its SHA-256 is {found}, expected {expected}. Get both files anew, or train again with clipood train.");
        }
    }
}
