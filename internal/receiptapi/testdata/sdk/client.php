<?php
class ReceiptApiClient {
    private $baseUrl;
    private $apiKey;
    
    public function __construct($baseUrl, $apiKey) {
        $this->baseUrl = rtrim($baseUrl, '/');
        $this->apiKey = $apiKey;
    }
    
    public function submitApplication($data) {
        $data['apikey'] = $this->apiKey;
        return $this->post('/submit', $data);
    }
    
    public function queryResult($applicationNo) {
        return $this->get('/query', [
            'apikey' => $this->apiKey,
            'application_no' => $applicationNo
        ]);
    }
    
    public function batchQueryResult($applicationNos) {
        return $this->post('/batch_query', [
            'apikey' => $this->apiKey,
            'application_nos' => $applicationNos
        ]);
    }
    
    public function getReceiptTypes() {
        return $this->get('/types', [
            'apikey' => $this->apiKey
        ]);
    }
    
    public function getApplications($page = 1, $size = 20, $status = '') {
        $params = [
            'apikey' => $this->apiKey,
            'page' => $page,
            'size' => $size
        ];
        if (!empty($status)) {
            $params['status'] = $status;
        }
        return $this->get('/applications', $params);
    }
    
    private function post($endpoint, $data) {
        $ch = curl_init();
        curl_setopt($ch, CURLOPT_URL, $this->baseUrl . $endpoint);
        curl_setopt($ch, CURLOPT_POST, true);
        curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode($data));
        curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
        curl_setopt($ch, CURLOPT_HTTPHEADER, [
            'Content-Type: application/json'
        ]);
        
        $response = curl_exec($ch);
        curl_close($ch);
        
        return json_decode($response, true);
    }
    
    private function get($endpoint, $params = []) {
        $url = $this->baseUrl . $endpoint;
        if (!empty($params)) {
            $url .= '?' . http_build_query($params);
        }
        
        $ch = curl_init();
        curl_setopt($ch, CURLOPT_URL, $url);
        curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
        
        $response = curl_exec($ch);
        curl_close($ch);
        
        return json_decode($response, true);
    }
}

// 使用示例
$client = new ReceiptApiClient('https://www.clipimg.com/app/receipt_api.php', 'your-api-key');

// 提交申请
$result = $client->submitApplication([
  'receipt_type_id' => 5,
    'id_photo_url' => 'http://example.com/photo.jpg',
    'custom_fields' => [
        'city' => '广东省,深圳市',
        'customer_id_card' => '110101199001011234'
    ],
    'callback_url' => 'http://your-domain.com/callback'
]);

// 查询结果
$result = $client->queryResult('RA20231201143059001');

// 批量查询
$result = $client->batchQueryResult([
    'RA20231201143059001',
    'RA20231201143059002'
]);

// 获取回执类型列表
$types = $client->getReceiptTypes();

// 获取申请记录列表
$applications = $client->getApplications(1, 10, 'completed');
?>
