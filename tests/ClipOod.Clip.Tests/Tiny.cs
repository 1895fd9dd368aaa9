using System.Text.Json;
using System.Text.Json.Nodes;
using ClipOod.Autodiff;

namespace ClipOod.Clip.Tests;

/// <summary>Small models for tests.</summary>
internal static class Tiny
{
    /// <summary>Sizes at which a test is quick.</summary>
    public static ClipConfig Config => new()
    {
        EmbeddingWidth = 16,
        ImageSize = 16,
        PatchSize = 8,
        Vision = new(32, 2, 2, 128),
        ContextLength = 12,
        VocabularySize = 600,
        Text = new(32, 2, 2, 128),
        Activation = ClipActivation.Gelu,
    };

    /// <summary>The reference model, from its file as it is, cut in two with an index, or as OpenCLIP lays it out.</summary>
    public static ClipModel Load(TemporaryFolder folder, string layout, string activation, string form)
    {
        ClipActivation wanted = activation == "gelu" ? ClipActivation.Gelu : ClipActivation.QuickGelu;
        string source = References.ClipGolden($"tiny-{layout}.safetensors");
        using SafetensorsFile file = Safetensors.Open(source);
        string own = Directory.CreateDirectory(Path.Combine(folder.Path, $"{layout}-{activation}-{form}")).FullName;
        string path = Path.Combine(own, "model.safetensors");
        if (form == "sharded")
        {
            string[] names = [.. file.Names];
            Safetensors.Write(Path.Combine(own, "1.safetensors"), names[..20].Select(name => file[name]));
            Safetensors.Write(Path.Combine(own, "2.safetensors"), names[20..].Select(name => file[name]));
            path += ".index.json";
            File.WriteAllText(path, JsonSerializer.Serialize(new
            {
                weight_map = names.Select((name, i) => (name, i)).ToDictionary(n => n.name, n => n.i < 20 ? "1.safetensors" : "2.safetensors"),
            }));
        }
        else
        {
            Safetensors.Write(path, file.Names.Select(name => file[name]), form == "openclip" ? null : file.Metadata);
        }

        if (layout == "huggingface")
        {
            JsonNode config = JsonNode.Parse(File.ReadAllText(References.ClipGolden("tiny-huggingface.config.json")))!;
            config["vision_config"]!["hidden_act"] = activation;
            config["text_config"]!["hidden_act"] = activation;
            File.WriteAllText(Path.Combine(own, "config.json"), config.ToJsonString());
            return ClipModel.Load(own);
        }

        // Without a configuration (sharded), heads are 64 wide; this model's text tower has others, so one is given.
        if (form != "file")
        {
            File.WriteAllText(Path.Combine(own, "open_clip_config.json"), OpenClipConfig(wanted));
            return ClipModel.Load(path);
        }

        return ClipModel.Load(path, wanted);
    }

    public static string OpenClipConfig(ClipActivation activation) => JsonSerializer.Serialize(new
    {
        model_cfg = new
        {
            embed_dim = 32,
            quick_gelu = activation == ClipActivation.QuickGelu,
            vision_cfg = new { image_size = 32, layers = 2, width = 128, patch_size = 8 },
            text_cfg = new { context_length = 16, vocab_size = 600, width = 64, heads = 4, layers = 2 },
        },
        preprocess_cfg = new { mean = new[] { 0.5, 0.5, 0.5 }, std = new[] { 0.5, 0.5, 0.5 } },
    });
}
